/** Runs as a file for spreadsheets: the shown columns of the selection, or of all that match. */

import { post } from "../api/client";
import { saveFile } from "../kit/saveFile";
import { columnLabel } from "./columns";
import { wireColumn, type Selection } from "./selection";
import { valueColumns } from "./tableQueries";
import type { ColumnRef } from "./view";

/** One line as RFC 4180 has it. A text that a spreadsheet would take for a formula gets an apostrophe in front. */
export function csvLine(values: readonly unknown[]): string {
  return values.map(csvValue).join(",") + "\r\n";
}

function csvValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(String(value)) && Number.isNaN(Number(value)) ? `'${String(value)}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export interface CsvSource {
  run_ids: readonly string[];
  names: readonly string[];
  statuses: readonly string[];
  columns: readonly (readonly unknown[])[];
}

/** The whole file; `only` keeps the runs that are in it. */
export function toCsv(source: CsvSource, heads: readonly string[], only: ReadonlySet<string> | null): string {
  const lines = [csvLine(["run_id", "name", "status", ...heads])];
  source.run_ids.forEach((id, i) => {
    if (only && !only.has(id)) return;
    lines.push(csvLine([id, source.names[i], source.statuses[i], ...source.columns.map((column) => column[i])]));
  });
  return lines.join("");
}

/** Fetches the columns and hands the browser a file. */
export async function exportCsv(
  name: string,
  selection: Selection,
  columns: readonly ColumnRef[],
  only: ReadonlySet<string> | null,
): Promise<void> {
  const shown = valueColumns(columns);
  const answer = await post("/api/2.0/stele/runs/columns", { ...selection, columns: shown.map(wireColumn) });
  const heads = shown.map((column) =>
    column.aggregate && column.aggregate !== "last"
      ? `${columnLabel(column)} (${column.aggregate})`
      : columnLabel(column),
  );
  saveFile(`${name.replace(/[^\w.-]+/g, "-")}.csv`, toCsv(answer, heads, only));
}
