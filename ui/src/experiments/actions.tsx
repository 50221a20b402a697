/** What can be done with an experiment. */

import { post } from "../api/client";
import { keys, queryClient, type Experiment } from "../api/queries";
import type { MenuItem } from "../kit/Popover";
import { ask } from "../shell/ask";
import { announce, announceProblem } from "../shell/undo";

const ARCHIVE = "_archived/";
const ARCHIVED_AT = "stele.archived_at";

const refresh = () => queryClient.invalidateQueries({ queryKey: keys.experiments });

/** Does something and says so, or says why not. */
async function perform(text: string, work: () => Promise<unknown>, undo?: () => Promise<unknown>): Promise<void> {
  try {
    await work();
    await refresh();
    announce(
      text,
      undo &&
        (async () => {
          await undo();
          await refresh();
        }),
    );
  } catch (error) {
    announceProblem(error);
  }
}

type Named = Pick<Experiment, "experiment_id" | "name">;

export const deleteExperiment = ({ experiment_id, name }: Named) =>
  perform(
    `Deleted ${name}`,
    () => post("/api/2.0/mlflow/experiments/delete", { experiment_id }),
    () => post("/api/2.0/mlflow/experiments/restore", { experiment_id }),
  );

export const restoreExperiment = ({ experiment_id, name }: Named) =>
  perform(`Restored ${name}`, () => post("/api/2.0/mlflow/experiments/restore", { experiment_id }));

/** Archived experiments stand under `_archived/`, as the command line has it. */
export function archiveExperiment({ experiment_id, name }: Named, archived: boolean) {
  const plain = (name ?? "").replace(/^_archived\//, "");
  const set = async (value: boolean) => {
    await post("/api/2.0/mlflow/experiments/update", { experiment_id, new_name: value ? ARCHIVE + plain : plain });
    await (value
      ? post("/api/2.0/mlflow/experiments/set-experiment-tag", {
          experiment_id,
          key: ARCHIVED_AT,
          value: new Date().toISOString(),
        })
      : post("/api/2.0/mlflow/experiments/delete-experiment-tag", { experiment_id, key: ARCHIVED_AT }));
  };
  return perform(
    `${archived ? "Archived" : "Unarchived"} ${plain}`,
    () => set(archived),
    () => set(!archived),
  );
}

export async function renameExperiment({ experiment_id, name }: Named) {
  const next = await ask({ title: `Rename ${name}`, label: "Name", value: name ?? "", action: "Rename" });
  if (!next || next === name) return;
  const rename = (new_name: string) => post("/api/2.0/mlflow/experiments/update", { experiment_id, new_name });
  await perform(
    `Renamed ${name} to ${next}`,
    () => rename(next),
    () => rename(name ?? ""),
  );
}

/** Asks for a name; answers with the id of the new experiment, or null. */
export async function createExperiment(): Promise<string | null> {
  const name = await ask({ title: "New experiment", label: "Name", value: "", action: "Create" });
  if (!name) return null;
  try {
    const { experiment_id } = await post("/api/2.0/mlflow/experiments/create", { name });
    await refresh();
    return experiment_id;
  } catch (error) {
    announceProblem(error);
    return null;
  }
}

export const isArchived = (experiment: Experiment): boolean =>
  (experiment.tags ?? []).some(({ key }) => key === ARCHIVED_AT) && (experiment.name ?? "").startsWith(ARCHIVE);

export function experimentMenu(experiment: Experiment): (MenuItem | null)[] {
  const archived = isArchived(experiment);
  const deleted = experiment.lifecycle_stage === "deleted";
  return [
    {
      text: "Rename",
      icon: "doc",
      disabled: deleted && "It is deleted",
      onChoose: () => void renameExperiment(experiment),
    },
    {
      text: archived ? "Unarchive" : "Archive",
      icon: "archive",
      disabled: deleted && "It is deleted",
      onChoose: () => void archiveExperiment(experiment, !archived),
    },
    null,
    deleted
      ? { text: "Restore", icon: "undo", onChoose: () => void restoreExperiment(experiment) }
      : {
          text: "Delete",
          icon: "trash",
          bad: true,
          disabled: experiment.experiment_id === "0" && "The default experiment stays",
          onChoose: () => void deleteExperiment(experiment),
        },
  ];
}
