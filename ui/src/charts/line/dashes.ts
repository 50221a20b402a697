import { runColor } from "../../format/colors";

/** With more runs than this dashes would not tell them apart either, and take long to draw. */
const TOLD_APART = 36;

/** Of runs that share a colour the first is solid, the next ones are dashed. */
export function dashesOf(runIds: readonly string[]): number[] {
  const seen = new Map<number, number>();
  return runIds.map((id) => {
    const color = runColor(id);
    const before = seen.get(color) ?? 0;
    seen.set(color, before + 1);
    return runIds.length > TOLD_APART ? 0 : Math.min(before, 2);
  });
}
