import { post } from "../api/client";
import { keys, queryClient } from "../api/queries";
import { ask } from "../shell/ask";
import { announce, announceProblem } from "../shell/undo";
import type { RunData } from "./runData";

const refresh = ({ id, experimentId }: RunData) => {
  void queryClient.invalidateQueries({ queryKey: keys.run(id) });
  void queryClient.invalidateQueries({ queryKey: keys.runs(experimentId) });
};

export async function renameRun(data: RunData): Promise<void> {
  const name = await ask({ title: `Rename ${data.name}`, label: "Name", value: data.name, action: "Rename" });
  if (!name || name === data.name) return;
  const rename = async (run_name: string) => {
    await post("/api/2.0/mlflow/runs/update", { run_id: data.id, run_name });
    refresh(data);
  };
  await rename(name).then(() => announce(`Renamed to ${name}`, () => rename(data.name)), announceProblem);
}

export async function setRunTag(data: RunData, key: string, value: string): Promise<void> {
  await post("/api/2.0/mlflow/runs/set-tag", { run_id: data.id, key, value }).then(
    () => refresh(data),
    announceProblem,
  );
}

export async function deleteRunTag(data: RunData, key: string): Promise<void> {
  const value = data.tags.get(key) ?? "";
  await post("/api/2.0/mlflow/runs/delete-tag", { run_id: data.id, key }).then(() => {
    refresh(data);
    announce(`Removed the tag ${key}`, () => setRunTag(data, key, value));
  }, announceProblem);
}
