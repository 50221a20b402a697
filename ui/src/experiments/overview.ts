/** What is asked for the list of experiments. Nothing of React is here: it is asked before that is there. */

import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import { post } from "../api/client";
import { keys, queryClient } from "../api/queries";
import { literal } from "../runs/filter/literal";

export type Show = "active" | "archived" | "deleted";

const PAGE_SIZE = 200;

/** Experiments whose name, or a tag given as key=value, is as typed. */
function filterOf(search: string): string {
  const text = search.trim();
  const tag = /^([^=\s]+)\s*=\s*(.+)$/.exec(text);
  if (tag) return `tags.\`${tag[1]!.replaceAll("`", "")}\` ILIKE ${literal(`%${tag[2]}%`)}`;
  return text ? `name ILIKE ${literal(`%${text}%`)}` : "";
}

export const overviewQuery = (search: string, show: Show) => {
  const filter = filterOf(search);
  return infiniteQueryOptions({
    queryKey: [...keys.experiments, "overview", filter, show === "deleted"],
    queryFn: ({ pageParam, signal }) =>
      post(
        "/api/2.0/stele/experiments/overview",
        {
          filter,
          view: show === "deleted" ? "DELETED_ONLY" : "ACTIVE_ONLY",
          max_results: PAGE_SIZE,
          page_token: pageParam,
        },
        { signal },
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token || undefined,
    placeholderData: keepPreviousData,
  });
};

/** What the list begins with, asked for as soon as the address is known. */
export function askAhead({ q = "", show }: { q?: unknown; show?: unknown }): Promise<unknown> {
  const which = show === "archived" || show === "deleted" ? show : "active";
  return queryClient.prefetchInfiniteQuery(overviewQuery(String(q), which));
}
