/** The curves that a board of charts begins with, asked for before the board is there. */

import { sectionsOf } from "../math/keys";
import { SeriesLoader, type Scene } from "./loader";

/** About as many charts as a screen shows. */
const FIRST = 6;

let early: SeriesLoader | null = null;

/** Asks for the curves of the first of these metrics. */
export function askForCurves(scene: Scene, metrics: readonly string[]): void {
  if (scene.runIds.length === 0) return;
  const loader = new SeriesLoader();
  loader.show(scene);
  const keys = sectionsOf(metrics).flatMap((section) => section.keys);
  for (const key of keys.slice(0, FIRST)) {
    // Once they are there the loader keeps them; charts that are on the screen by then follow them on.
    const stop = loader.follow(key, () => loader.get(key).loading || stop());
  }
  early = loader;
}

/** The loader that has asked already, if any: for the first board, which may be rendered more than once until it stands. */
export const earlyLoader = (): SeriesLoader | null => early;

/** From now on the loader is that board's alone. */
export function claim(loader: SeriesLoader): void {
  if (early === loader) early = null;
}
