/** What all charts of a page share: the pointer, the hovered run, the colours, and where curves come from. */

import { createContext, useContext, useMemo, useSyncExternalStore } from "react";
import { useDark } from "../../shell/theme";
import type { SeriesLoader } from "../data/loader";
import type { Selection } from "../../runs/selection";
import type { DrawnRun, Group } from "../line/model";
import type { Palette } from "../line/paint";
import type { ChartSettings } from "./settings";
import type { ChangeSettings } from "./useChartSettings";

/** A value outside of React: it changes with every move of the pointer, and only what must hears of it. */
export class Store<T> {
  private listeners = new Set<() => void>();
  constructor(private value: T) {}
  get = (): T => this.value;
  set = (value: T): void => {
    if (Object.is(value, this.value)) return;
    this.value = value;
    this.listeners.forEach((listener) => listener());
  };
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

/** Where the pointer is, on the x axis of all charts; `from` is where a drag began. */
export interface Cursor {
  x: number;
  from: number | null;
}

export interface Stage {
  loader: SeriesLoader;
  cursor: Store<Cursor | null>;
  /** The run, or group, that is looked at. */
  hovered: Store<string | null>;
  settings: ChartSettings;
  change: ChangeSettings;
  runs: readonly DrawnRun[];
  groups: readonly Group[];
  palette: Palette;
  /** The runs that pictures of params look at; null where there is no table of runs. */
  source: Source | null;
}

/** The runs of a view, and which of them a brush has left. */
export interface Source {
  experimentId: string;
  selection: Selection;
  /** Null without a brush. In the order of the table. */
  brushed: readonly string[] | null;
  brush: (runIds: readonly string[] | null) => void;
}

const StageContext = createContext<Stage | null>(null);
export const StageProvider = StageContext.Provider;

export function useStage(): Stage {
  const stage = useContext(StageContext);
  if (!stage) throw new Error("A chart stands outside of a stage.");
  return stage;
}

/** Whether this run is the hovered one; changes only where the answer does. */
export const useIsHovered = (hovered: Store<string | null>, id: string): boolean =>
  useSyncExternalStore(hovered.subscribe, () => hovered.get() === id);

const COLORS = 12;

/** The colours of the theme, read again when it changes. */
export function usePalette(): Palette {
  const dark = useDark();
  return useMemo(() => {
    const style = getComputedStyle(document.documentElement);
    const read = (name: string) => style.getPropertyValue(name).trim();
    return {
      runs: Array.from({ length: COLORS }, (_, i) => read(`--run-${i + 1}`)),
      text: read("--text"),
      muted: read("--text-2"),
      dim: read("--text-4"),
      surface: read("--surface"),
      invert: read("--invert"),
      onInvert: read("--on-invert"),
      accent: read("--accent"),
      halo: read("--accent-halo"),
      font: getComputedStyle(document.body).fontFamily,
    };
    // What is read depends on the theme alone.
  }, [dark]);
}
