/** The settings of the charts, as the address has them. */

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useRunsView } from "../../runs/useRunsView";
import { formatSettings, parseSettings, type ChartSettings } from "./settings";

export type ChangeSettings = (
  change: Partial<ChartSettings> | ((held: ChartSettings) => Partial<ChartSettings>),
  options?: { replace?: boolean },
) => void;

/** How long a slider or a search is moved before it goes into the address. */
const SETTLED = 250;

/**
 * The settings in the address and a way to change parts of them. A change with `replace` is one of many, by a slider or
 * by typing: it is seen at once, and the address follows when it has settled.
 */
export function useChartSettings(): [ChartSettings, ChangeSettings] {
  const [view, changeView] = useRunsView();
  const stored = useMemo(() => parseSettings(view.charts), [view.charts]);
  const [draft, setDraft] = useState<ChartSettings | null>(null);
  const settings = draft ?? stored;
  const latest = useRef(settings);
  const timer = useRef(0);
  useEffect(() => {
    latest.current = settings;
  });
  useEffect(() => setDraft(null), [stored]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const change = useCallback<ChangeSettings>(
    (part, { replace = false } = {}) => {
      const held = latest.current;
      const next = { ...held, ...(typeof part === "function" ? part(held) : part) };
      latest.current = next;
      window.clearTimeout(timer.current);
      // Always: where this takes back what the address has not heard of yet, the address stays as it is.
      setDraft(next);
      if (!replace) return changeView({ charts: formatSettings(next) });
      timer.current = window.setTimeout(() => changeView({ charts: formatSettings(next) }, { replace: true }), SETTLED);
    },
    [changeView],
  );
  return [settings, change];
}
