/** The pages whose code comes when an address first leads to them. */

export const pages = {
  experiments: () => import("./experiments/ExperimentsPage"),
  run: () => import("./run/RunPage"),
  models: () => import("./models/ModelsPage"),
  model: () => import("./models/ModelPage"),
  version: () => import("./models/VersionPage"),
};
