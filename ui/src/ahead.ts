/**
 * Asks for what an address leads to as soon as the page is there: the answers, and code that not every page needs, are
 * on their way while the browser still reads React and the rest. Nothing of React is here.
 */

import { defaultParseSearch } from "@tanstack/react-router";
import { pages } from "./pages";
import { askAhead as askForRun } from "./run/askAhead";
import { askAhead as askForRuns } from "./runs/askAhead";

type Ask = (parts: readonly string[], search: Record<string, unknown>) => unknown;

/** What the page's routes begin with, by their addresses. */
const ROUTES: readonly (readonly [RegExp, Ask])[] = [
  [
    /^\/experiments\/([^/]+)\/runs\/([^/]+)(?:\/([^/]*))?/,
    ([experimentId, runId, tab], _search) => {
      askForRun(experimentId!, runId!, tab ?? "");
      return pages.run();
    },
  ],
  [
    /^\/experiments\/([^/]+)(?:\/([^/]*))?$/,
    ([experimentId, tab], search) => askForRuns(experimentId!, tab || "runs", search),
  ],
  [/^(?:\/|\/experiments)?$/, pages.experiments],
  [/^\/models\/[^/]+\/versions\//, pages.version],
  [/^\/models\/[^/]+/, pages.model],
  [/^\/models$/, pages.models],
];

export function askAhead(hash: string): void {
  const [path = "", search = ""] = hash.slice(1).split("?", 2);
  for (const [route, ask] of ROUTES) {
    const match = route.exec(path);
    if (!match) continue;
    try {
      const parts = match.slice(1).map((part) => decodeURIComponent(part ?? ""));
      // What fails here is asked for again by the page, which says so.
      void Promise.resolve(ask(parts, defaultParseSearch(search))).catch(() => undefined);
    } catch {
      // An address that cannot be read leads nowhere; the page says so.
    }
    return;
  }
}
