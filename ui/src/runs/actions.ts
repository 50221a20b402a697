/** What can be done with many runs at once, each with its way back. */

import { post, type Schemas } from "../api/client";
import { keys, queryClient } from "../api/queries";
import { count } from "../format/figures";
import { announce, announceProblem } from "../shell/undo";
import type { Selection } from "./selection";

type Action = Schemas["ChangeRuns"]["action"];

const AT_ONCE = 10_000;
const INVERSE = { delete: "restore", restore: "delete", archive: "unarchive", unarchive: "archive" } as const;
const DONE = { delete: "Deleted", restore: "Restored", archive: "Archived", unarchive: "Unarchived" } as const;

async function send(
  runIds: readonly string[],
  action: Action,
  rest: { key?: string; value?: string } = {},
): Promise<void> {
  for (let start = 0; start < runIds.length; start += AT_ONCE) {
    await post("/api/2.0/stele/runs/bulk", { run_ids: runIds.slice(start, start + AT_ONCE), action, ...rest });
  }
}

const refresh = (experimentId: string) => {
  void queryClient.invalidateQueries({ queryKey: keys.runs(experimentId) });
  void queryClient.invalidateQueries({ queryKey: ["run"] });
};

export const runsText = (runs: number): string => `${count(runs)} ${runs === 1 ? "run" : "runs"}`;

/** Deletes, restores, archives or unarchives runs at once, and offers to undo it. */
export async function changeRuns(
  experimentId: string,
  runIds: readonly string[],
  action: keyof typeof INVERSE,
): Promise<void> {
  try {
    await send(runIds, action);
    refresh(experimentId);
    announce(`${DONE[action]} ${runsText(runIds.length)}`, async () => {
      await send(runIds, INVERSE[action]);
      refresh(experimentId);
    });
  } catch (error) {
    announceProblem(error);
  }
}

/** Sets a tag of many runs; an empty value is a value. */
export async function tagRuns(
  experimentId: string,
  runIds: readonly string[],
  key: string,
  value: string,
): Promise<void> {
  try {
    await send(runIds, "set_tag", { key, value });
    refresh(experimentId);
    announce(`Tagged ${runsText(runIds.length)} with ${key}`);
  } catch (error) {
    announceProblem(error);
  }
}

/** The ids of all runs that match, in their order. */
export async function matchingIds(selection: Selection): Promise<string[]> {
  return (await post("/api/2.0/stele/runs/columns", { ...selection, columns: [] })).run_ids;
}
