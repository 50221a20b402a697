/** Experiments that this visitor keeps at hand; in this browser alone. */

import { useSyncExternalStore } from "react";

export interface Pinned {
  id: string;
  name: string;
}

const KEY = "stele.pinned";
const listeners = new Set<() => void>();

function read(): Pinned[] {
  try {
    const held: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(held)
      ? held.filter((one): one is Pinned => typeof one?.id === "string" && typeof one?.name === "string")
      : [];
  } catch {
    return [];
  }
}

let pinned = read();

function write(next: Pinned[]): void {
  pinned = next;
  localStorage.setItem(KEY, JSON.stringify(next));
  listeners.forEach((listener) => listener());
}

export const usePinned = (): Pinned[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => pinned,
  );

/** Pins an experiment, or lets it go. */
export function togglePin(one: Pinned): void {
  write(pinned.some(({ id }) => id === one.id) ? pinned.filter(({ id }) => id !== one.id) : [...pinned, one]);
}
