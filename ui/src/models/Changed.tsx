import type { Change } from "./differences";

const MARKS = { added: "+", removed: "−", changed: "±" } as const;

/** The word for a change, with its sign. */
export const ChangeMark = ({ change }: { change: Change }) =>
  change === "same" ? null : (
    <span className={`change ${change}`}>
      <span aria-hidden="true">{MARKS[change]}</span> {change}
    </span>
  );

/** A value; where the other version has another one, that is struck out before it. */
export function Was({ mine, other }: { mine: string | undefined; other: string | undefined }) {
  if (mine === undefined || other === undefined || mine === other) return mine ?? other ?? "";
  return (
    <>
      <s>{other || "—"}</s> {mine || "—"}
    </>
  );
}
