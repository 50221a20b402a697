/** The addresses of the page. They begin with MLflow's, so that links printed by its client open the right thing. */

import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { askAhead as askForExperiments } from "./experiments/overview";
import { Empty, Loading, Problem } from "./kit/states";
import { pages } from "./pages";
import { askAhead as askForRun } from "./run/askAhead";
import { askAhead as askForRuns } from "./runs/askAhead";
import ExperimentPage from "./runs/ExperimentPage";
import { Shell } from "./shell/Shell";

// Loaders ask for what a page begins with, and do not wait for it: also when the pointer rests on a link.
const root = createRootRoute({ component: Shell });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/experiments" });
  },
});

const experiments = createRoute({
  getParentRoute: () => root,
  path: "/experiments",
  component: lazyRouteComponent(pages.experiments),
  loader: ({ location }) => void askForExperiments(location.search),
});

/** Where most links lead: the table of runs comes with what draws every page, without a second round of requests. */
const experiment = createRoute({
  getParentRoute: () => root,
  path: "/experiments/$experimentId",
  component: ExperimentPage,
  loader: ({ params, location }) => void askForRuns(params.experimentId, "runs", location.search),
});

/** `runs`, `charts`, `compare`, `about`. MLflow prints `/experiments/E` and `/experiments/E/runs`. */
const experimentTab = createRoute({
  getParentRoute: () => root,
  path: "/experiments/$experimentId/$tab",
  component: ExperimentPage,
  loader: ({ params, location }) => void askForRuns(params.experimentId, params.tab, location.search),
});

/** `$` is the tab, and behind `artifacts` a path: MLflow links to files like this. */
const runTab = createRoute({
  getParentRoute: () => root,
  path: "/experiments/$experimentId/runs/$runId/$",
  component: lazyRouteComponent(pages.run),
  loader: ({ params }) => void askForRun(params.experimentId, params.runId, params._splat?.split("/")[0] ?? ""),
});

const models = createRoute({
  getParentRoute: () => root,
  path: "/models",
  component: lazyRouteComponent(pages.models),
});

const model = createRoute({
  getParentRoute: () => root,
  path: "/models/$name",
  component: lazyRouteComponent(pages.model),
});

const modelVersion = createRoute({
  getParentRoute: () => root,
  path: "/models/$name/versions/$version",
  component: lazyRouteComponent(pages.version),
});

const tree = root.addChildren([home, experiments, experiment, experimentTab, runTab, models, model, modelVersion]);

export const router = createRouter({
  routeTree: tree,
  history: createHashHistory(),
  defaultPreload: "intent",
  defaultPendingComponent: () => (
    <main>
      <Loading />
    </main>
  ),
  defaultErrorComponent: ({ error, reset }) => (
    <main>
      <Problem what="This page could not be shown" error={error} onRetry={reset} />
    </main>
  ),
  defaultNotFoundComponent: () => (
    <main>
      <Empty title="Nothing has this address">
        <p>It may have moved; the search (Ctrl K) finds it by name.</p>
      </Empty>
    </main>
  ),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
