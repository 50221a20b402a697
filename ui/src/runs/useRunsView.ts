/** The view of an experiment's runs, as the address has it. */

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { formatView, parseView, type RunsView } from "./view";

/** The view in the address and a way to change parts of it. Steps that a person takes back are entries of the history. */
export function useRunsView(): [RunsView, (change: Partial<RunsView>, options?: { replace?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const view = useMemo(() => parseView(search), [search]);
  const change = useCallback(
    (part: Partial<RunsView>, options: { replace?: boolean } = {}) => {
      void navigate({
        to: ".",
        replace: options.replace ?? false,
        search: ((held: Record<string, unknown>) => {
          const next = formatView({ ...parseView(held), ...part });
          // What other parts of the page keep in the address stays.
          const others = Object.entries(held).filter(([name]) => !OWN.has(name));
          return { ...Object.fromEntries(others), ...next };
        }) as never,
      });
    },
    [navigate],
  );
  return [view, change];
}

const OWN = new Set("q s c fz w g tree diff heat ar del pin base hide ch".split(" "));
