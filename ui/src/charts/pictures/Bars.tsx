import { useEffect, useMemo } from "react";
import { runColor } from "../../format/colors";
import { toNumber } from "../../format/figures";
import { BarList, type BarRow } from "../line/BarList";
import { runsNote, type PictureData } from "./data";

/** The value of a column in each run, in the order of the table; what is not finite is said in words. */
export function Bars({ data, name, onNote }: { data: PictureData; name: string; onNote: (note: string) => void }) {
  const column = data.columns[0]!;
  const rows = useMemo(
    () =>
      column.kind === "number"
        ? data.runIds.flatMap((runId, row): BarRow[] => {
            const value = toNumber(data.cells[0]![row] ?? null);
            return value === null ? [] : [{ runId, name: data.names[row]!, color: runColor(runId), value }];
          })
        : [],
    [data, column],
  );
  useEffect(() => onNote(runsNote(rows.length, data.matched)), [onNote, rows, data]);
  if (column.kind === "text") return <p className="nothing">{data.refs[0]!.key} has no numbers</p>;
  return <BarList rows={rows} name={name} />;
}
