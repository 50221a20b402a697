/** Whether the command palette is open; kept apart so that opening it needs none of its code. */

import { useSyncExternalStore } from "react";

let open = false;
const listeners = new Set<() => void>();

function set(next: boolean): void {
  open = next;
  listeners.forEach((listener) => listener());
}

/** Whether it is open, or about to be. */
export const isPaletteOpen = (): boolean => open;
export const openPalette = (): void => set(true);
export const closePalette = (): void => set(false);

export const usePaletteOpen = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => open,
  );

/** What the page at hand offers in the palette, beside going somewhere. */
export interface Action {
  text: string;
  keys?: string;
  run: () => void;
}

const offers: { current: Action[] }[] = [];

export const offered = (): Action[] => [...offers].reverse().flatMap((layer) => layer.current);

/** Adds actions; the returned function takes them back. */
export function offer(actions: { current: Action[] }): () => void {
  offers.push(actions);
  return () => {
    offers.splice(offers.indexOf(actions), 1);
  };
}
