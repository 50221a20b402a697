import { delta as deltaText } from "../format/figures";
import type { Goal } from "./columns";

/** How a value differs from the baseline's: with a sign, and coloured where it is known which way is better. */
export function Delta({
  value,
  base,
  goal,
  decimals,
}: {
  value: unknown;
  base: unknown;
  goal: Goal;
  decimals: number;
}) {
  if (typeof value !== "number" || typeof base !== "number" || !Number.isFinite(value - base)) {
    return <span className="delta" />;
  }
  const difference = value - base;
  const tone = goal === null || difference === 0 ? "na" : difference > 0 === (goal === "up") ? "up" : "dn";
  return <span className={`delta ${tone}`}>{deltaText(difference, decimals)}</span>;
}

/** What stands there for the baseline itself. */
export const BaseMark = () => <span className="delta base">base</span>;
