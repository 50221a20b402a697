/** Which runs a view is about, as the server takes it. */

import type { Schemas } from "../api/client";
import { orderBy, type ColumnRef, type RunsView } from "./view";

export type Selection = Pick<
  Schemas["QueryRunsTable"],
  "experiment_ids" | "filter" | "order_by" | "view" | "archived" | "within"
>;
export type Row = Schemas["TableRow"];
export type Column = Schemas["RunColumn"];

export function selectionOf(experimentId: string, view: RunsView): Selection {
  return {
    experiment_ids: [experimentId],
    filter: view.filter,
    order_by: orderBy(view.sort),
    view: view.deleted ? "DELETED_ONLY" : "ACTIVE_ONLY",
    archived: view.archived,
    within: [],
  };
}

/** A column that holds values; a curve is fetched by other means. */
export function wireColumn(column: ColumnRef): Column {
  const aggregate = column.aggregate === "curve" ? "last" : (column.aggregate ?? "last");
  return { kind: column.kind, key: column.key, aggregate };
}
