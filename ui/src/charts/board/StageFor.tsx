import { useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { claim, earlyLoader } from "../data/early";
import { SeriesLoader } from "../data/loader";
import type { DrawnRun, Group } from "../line/model";
import { useChartSettings } from "./useChartSettings";
import { StageProvider, Store, usePalette, type Cursor, type Source } from "./stage";

/**
 * What charts of these runs share. `stamp` is another one whenever runs may have changed: those that are, or were
 * until now, running are read again.
 */
export function StageFor({
  runs,
  groups,
  stamp,
  source = null,
  children,
}: {
  runs: readonly DrawnRun[];
  groups: readonly Group[];
  stamp: string;
  source?: Source | null;
  children: ReactNode;
}) {
  const [settings, change] = useChartSettings();
  const palette = usePalette();
  const [loader] = useState(() => earlyLoader() ?? new SeriesLoader());
  const [cursor] = useState(() => new Store<Cursor | null>(null));
  const [hovered] = useState(() => new Store<string | null>(null));
  useEffect(() => {
    claim(loader);
    return () => loader.close();
  }, [loader]);

  const ids = runs.map(({ runId }) => runId).join();
  const range = settings.range?.join();
  useLayoutEffect(
    () => loader.show({ runIds: ids === "" ? [] : ids.split(","), x: settings.x, range: settings.range }),
    // A range of the same numbers is the same range.
    [loader, ids, settings.x, range],
  );

  const seen = useRef<{ stamp: string; live: string[] }>({ stamp, live: [] });
  useEffect(() => {
    if (seen.current.stamp !== stamp) loader.refresh(seen.current.live);
    seen.current = { stamp, live: runs.flatMap((run) => (run.live ? [run.runId] : [])) };
  }, [loader, stamp, runs]);

  const stage = useMemo(
    () => ({ loader, cursor, hovered, settings, change, runs, groups, palette, source }),
    [loader, cursor, hovered, settings, change, runs, groups, palette, source],
  );
  return <StageProvider value={stage}>{children}</StageProvider>;
}
