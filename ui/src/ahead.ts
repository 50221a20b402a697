/**
 * Asks for what an address leads to as soon as the page is there: the answers, and code that not every page needs, are
 * on their way while the browser still reads React and the rest. Nothing of React is here.
 */

import { defaultParseSearch } from "@tanstack/react-router";
import { askAhead as askForExperiments } from "./experiments/overview";
import { pages } from "./pages";
import { askAhead as askForRun, askForFirstCurves as askForCurvesOfRun } from "./run/askAhead";
import { askAhead as askForRuns, askForFirstCurves as askForCurvesOfRuns } from "./runs/askAhead";

type Ask = (parts: readonly string[], search: Record<string, unknown>) => Promise<unknown>;

/** What the page's routes begin with, by their addresses. */
const ROUTES: readonly (readonly [RegExp, Ask])[] = [
  [
    /^\/experiments\/([^/]+)\/runs\/([^/]+)(?:\/([^/]*))?/,
    ([experimentId = "", runId = "", tab = ""], search) => {
      void askForCurvesOfRun(runId, tab, search).catch(() => undefined);
      return Promise.all([askForRun(experimentId, runId, tab), pages.run()]);
    },
  ],
  [
    /^\/experiments\/([^/]+)(?:\/([^/]*))?$/,
    ([experimentId = "", tab = ""], search) => {
      if (tab === "charts") void askForCurvesOfRuns(experimentId, search).catch(() => undefined);
      return askForRuns(experimentId, tab || "runs", search);
    },
  ],
  [/^(?:\/|\/experiments)?$/, (_parts, search) => Promise.all([askForExperiments(search), pages.experiments()])],
  [/^\/models\/[^/]+\/versions\//, pages.version],
  [/^\/models\/[^/]+/, pages.model],
  [/^\/models$/, pages.models],
];

/** Resolves when all of it is there, or will not come: then it is asked for again by the page, which says so. */
export async function askAhead(hash: string): Promise<void> {
  const [path = "", ...search] = hash.slice(1).split("?");
  for (const [route, ask] of ROUTES) {
    const match = route.exec(path);
    if (!match) continue;
    try {
      const parts = match.slice(1).map((part) => decodeURIComponent(part ?? ""));
      await ask(parts, defaultParseSearch(search.join("?")));
    } catch {
      // Also an address that cannot be read: the page says that it leads nowhere.
    }
    return;
  }
}
