/** The registry, as its pages ask for it. */

import { infiniteQueryOptions, keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { del, get, patch, post, type Schemas } from "../api/client";
import { ApiError } from "../api/http";
import { keys, queryClient } from "../api/queries";
import { showAddress, type Owner } from "../run/artifacts/owner";
import { readText } from "../run/files";
import { ask } from "../shell/ask";
import { announce, announceProblem } from "../shell/undo";
import { literal } from "../runs/filter/literal";
import { filterOf, ORDERS, type Order } from "./search";

export type Model = Schemas["RegisteredModel"];
export type Version = Schemas["ModelVersion"];
export type Event = Schemas["RegistryEvent"];
export type Approval = Schemas["ApprovalRequest"];

const MLFLOW = "/api/2.0/mlflow";
const STELE = "/api/2.0/stele/registry";

export const modelsQuery = (search: string, order: Order = "name") =>
  infiniteQueryOptions({
    queryKey: [...keys.models, "list", search, order],
    queryFn: ({ pageParam, signal }) =>
      get(
        `${MLFLOW}/registered-models/search`,
        { filter: filterOf(search), max_results: 200, order_by: [...ORDERS[order]], page_token: pageParam },
        { signal },
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token || undefined,
    placeholderData: keepPreviousData,
  });

export const modelQuery = (name: string) =>
  queryOptions({
    queryKey: [...keys.models, name],
    queryFn: async ({ signal }) =>
      (await get(`${MLFLOW}/registered-models/get`, { name }, { signal })).registered_model,
  });

export const versionsQuery = (name: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.models, name, "versions"],
    queryFn: ({ pageParam, signal }) =>
      get(
        `${MLFLOW}/model-versions/search`,
        {
          filter: `name = ${literal(name)}`,
          max_results: 1000,
          order_by: ["version_number DESC"],
          page_token: pageParam,
        },
        { signal },
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token || undefined,
  });

/** The newest versions: those that one is probably compared with. */
export const newestVersionsQuery = (name: string) =>
  queryOptions({
    queryKey: [...keys.models, name, "newest"],
    queryFn: async ({ signal }) =>
      (
        await get(
          `${MLFLOW}/model-versions/search`,
          { filter: `name = ${literal(name)}`, max_results: 20, order_by: ["version_number DESC"] },
          { signal },
        )
      ).model_versions ?? [],
  });

export const versionQuery = (name: string, version: string) =>
  queryOptions({
    queryKey: [...keys.models, name, "version", version],
    queryFn: async ({ signal }) =>
      (await get(`${MLFLOW}/model-versions/get`, { name, version }, { signal })).model_version,
  });

const MOST_TEXT = 500_000;

/** A file of a version as text; without an owner nothing is read. */
export const useModelFile = (owner: Owner | null, path: string) =>
  useQuery({
    queryKey: [...keys.models, "file", owner, path],
    queryFn: ({ signal }) => readText(showAddress(owner!, path), MOST_TEXT, signal),
    enabled: owner !== null,
    staleTime: Infinity,
  });

export const lineageQuery = (name: string, version: string) =>
  queryOptions({
    queryKey: [...keys.models, name, "lineage", version],
    queryFn: async ({ signal }) => (await get(`${STELE}/lineage`, { name, version }, { signal })).lineage,
  });

export const eventsQuery = (name: string, version = "") =>
  infiniteQueryOptions({
    queryKey: [...keys.models, name, "events", version],
    queryFn: ({ pageParam, signal }) =>
      get(`${STELE}/events`, { name, version, max_results: 50, page_token: pageParam }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token || undefined,
  });

export const approvalsQuery = (name: string) =>
  queryOptions({
    queryKey: [...keys.models, name, "approvals"],
    queryFn: async ({ signal }) =>
      (await get(`${STELE}/requests`, { name, status: "open" }, { signal })).requests ?? [],
  });

export const protectionsQuery = (name: string) =>
  queryOptions({
    queryKey: [...keys.models, name, "protections"],
    queryFn: async ({ signal }) => (await get(`${STELE}/protections`, { name }, { signal })).protections ?? [],
  });

/** Does something and says so, or says why not; whatever is known of the registry is asked for again. */
async function perform(text: string, work: () => Promise<unknown>, undo?: () => Promise<unknown>): Promise<boolean> {
  const refresh = () => queryClient.invalidateQueries({ queryKey: keys.models });
  try {
    await work();
    await refresh();
    announce(text, undo && (() => undo().then(refresh)));
    return true;
  } catch (error) {
    announceProblem(error);
    return false;
  }
}

export async function createModel(): Promise<string | null> {
  const name = await ask({ title: "New registered model", label: "Name", value: "", action: "Create" });
  if (!name) return null;
  return (await perform(`Created ${name}`, () => post(`${MLFLOW}/registered-models/create`, { name }))) ? name : null;
}

/** Registers a logged model under a name, which is made where it is new; answers with both, or null. */
export async function registerModel(modelId: string, runId: string): Promise<{ name: string; version: string } | null> {
  const name = await ask({
    title: "Register the model",
    label: "Name of the registered model",
    value: "",
    action: "Register",
  });
  if (!name) return null;
  let version = "";
  const done = await perform(`Registered as ${name}`, async () => {
    await post(`${MLFLOW}/registered-models/create`, { name }).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.code === "RESOURCE_ALREADY_EXISTS")) throw error;
    });
    const made = await post(`${MLFLOW}/model-versions/create`, {
      name,
      source: `models:/${modelId}`,
      run_id: runId,
      model_id: modelId,
    });
    version = made.model_version.version;
  });
  return done ? { name, version } : null;
}

export async function renameModel(name: string): Promise<string | null> {
  const next = await ask({ title: `Rename ${name}`, label: "Name", value: name, action: "Rename" });
  if (!next || next === name) return null;
  const done = await perform(`Renamed to ${next}`, () =>
    post(`${MLFLOW}/registered-models/rename`, { name, new_name: next }),
  );
  return done ? next : null;
}

/** Deleting a model cannot be undone, so its name is typed. */
export async function deleteModel(name: string): Promise<boolean> {
  const typed = await ask({
    title: `Delete ${name} with all its versions? Type its name.`,
    label: "Name",
    value: "",
    action: "Delete for good",
  });
  if (typed === null) return false;
  if (typed !== name) {
    announce("The name was another one; nothing was deleted");
    return false;
  }
  return perform(`Deleted ${name}`, () => del(`${MLFLOW}/registered-models/delete`, { name }));
}

export const describeModel = (name: string, description: string) =>
  perform("Saved the description", () => patch(`${MLFLOW}/registered-models/update`, { name, description }));

export const describeVersion = (name: string, version: string, description: string) =>
  perform("Saved the description", () => patch(`${MLFLOW}/model-versions/update`, { name, version, description }));

export const setModelTag = (name: string, key: string, value: string) =>
  perform(`Tagged with ${key}`, () => post(`${MLFLOW}/registered-models/set-tag`, { name, key, value }));
export const deleteModelTag = (name: string, key: string) =>
  perform(`Removed the tag ${key}`, () => del(`${MLFLOW}/registered-models/delete-tag`, { name, key }));
export const setVersionTag = (name: string, version: string, key: string, value: string) =>
  perform(`Tagged with ${key}`, () => post(`${MLFLOW}/model-versions/set-tag`, { name, version, key, value }));
export const deleteVersionTag = (name: string, version: string, key: string) =>
  perform(`Removed the tag ${key}`, () => del(`${MLFLOW}/model-versions/delete-tag`, { name, version, key }));

/** Moves an alias; where it is protected a request is made instead. */
export async function setAlias(
  name: string,
  version: string,
  before: string | undefined,
  isProtected: (alias: string) => boolean,
): Promise<void> {
  const alias = await ask({ title: `Alias of version ${version}`, label: "Alias", value: before ?? "", action: "Set" });
  if (!alias) return;
  if (isProtected(alias)) {
    await request(name, { action: "set_alias", alias, version }, `Asked to move ${alias} to version ${version}`);
    return;
  }
  await perform(`Set ${alias} on version ${version}`, () =>
    post(`${MLFLOW}/registered-models/alias`, { name, alias, version }),
  );
}

export const deleteAlias = (name: string, alias: string, version: string) =>
  perform(
    `Removed ${alias}`,
    () => del(`${MLFLOW}/registered-models/alias`, { name, alias }),
    () => post(`${MLFLOW}/registered-models/alias`, { name, alias, version }),
  );

export const STAGES = ["None", "Staging", "Production", "Archived"] as const;

export async function setStage(name: string, version: Version, stage: string, isProtected: boolean): Promise<void> {
  if (isProtected) {
    await request(
      name,
      { action: "set_stage", stage, version: version.version },
      `Asked to move version ${version.version} to ${stage}`,
    );
    return;
  }
  const move = (to: string) =>
    post(`${MLFLOW}/model-versions/transition-stage`, { name, version: version.version, stage: to });
  await perform(
    `Moved version ${version.version} to ${stage}`,
    () => move(stage),
    () => move(version.current_stage),
  );
}

async function request(
  name: string,
  change: Pick<Schemas["CreateApprovalRequest"], "action" | "alias" | "stage" | "version">,
  text: string,
): Promise<void> {
  const reason = await ask({ title: `${text}: why?`, label: "Reason", value: "", action: "Ask for approval" });
  if (reason === null) return;
  await perform(text, () => post(`${STELE}/requests`, { name, ...change, reason }));
}

const DECISIONS = {
  approve: { asks: "Approve: a word on why", action: "Approve", done: "Approved" },
  reject: { asks: "Reject: what is missing?", action: "Reject", done: "Rejected" },
  withdraw: { asks: "Take the request back: why?", action: "Withdraw", done: "Withdrawn" },
} as const;

/** Ends a request: who asked withdraws it, others approve or reject it. */
export async function decide(approval: Approval, decision: keyof typeof DECISIONS): Promise<void> {
  const { asks, action, done } = DECISIONS[decision];
  const reason = await ask({ title: asks, label: "Comment", value: "", action });
  if (reason === null) return;
  const { request_id } = approval;
  await perform(done, () =>
    post(`${STELE}/requests/{request_id}/${decision}`, { request_id, reason }, { path: { request_id } }),
  );
}

export async function comment(approval: Approval): Promise<void> {
  const text = await ask({ title: "Comment on the request", label: "Comment", value: "", action: "Comment" });
  if (!text) return;
  await perform("Commented", () =>
    post(
      `${STELE}/requests/{request_id}/comments`,
      { request_id: approval.request_id, text },
      { path: { request_id: approval.request_id } },
    ),
  );
}

export async function protect(name: string): Promise<void> {
  const alias = await ask({
    title: "Protect an alias: it then moves with an approval only",
    label: "Alias",
    value: "champion",
    action: "Protect",
  });
  if (alias) await perform(`Protected ${alias}`, () => post(`${STELE}/protections`, { name, alias }));
}

export const deleteVersion = async (name: string, version: string): Promise<boolean> => {
  const typed = await ask({
    title: `Delete version ${version} for good? Type its number.`,
    label: "Version",
    value: "",
    action: "Delete for good",
  });
  return (
    typed === version &&
    perform(`Deleted version ${version}`, () => del(`${MLFLOW}/model-versions/delete`, { name, version }))
  );
};
