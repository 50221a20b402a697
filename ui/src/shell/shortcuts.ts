/** Keys of the page. What is mounted last has the first word; the help sheet lists what can be pressed now. */

import { useLayoutEffect, useRef } from "react";
import { isPaletteOpen } from "./palette";

export interface Shortcut {
  /** `j`, `Ctrl+K`, `Shift+ArrowDown` or a sequence: `g e`. */
  keys: string;
  does: string;
  run: (event: KeyboardEvent) => void;
}

const layers: { current: Shortcut[] }[] = [];
const SEQUENCE_TIME = 1000;
let first = { key: "", at: 0 };

/** The name of a pressed key, as shortcuts write it. */
export function nameOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">): string {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  // Of a printable key the shift is in the character already: `?`, `[`.
  if (event.shiftKey && event.key.length > 1) parts.push("Shift");
  const key =
    event.key === " " ? "Space" : event.key.length === 1 && parts.length > 0 ? event.key.toUpperCase() : event.key;
  return [...parts, key].join("+");
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
  (target as HTMLInputElement).type !== "checkbox";

const PRESSES_BUTTONS = new Set(["Enter", "Space"]);

function onKey(event: KeyboardEvent): void {
  const name = nameOf(event);
  if (event.defaultPrevented || (isTyping(event.target) && !name.startsWith("Ctrl+"))) return;
  if (isPaletteOpen() || document.querySelector("dialog[open]")) return;
  if (
    PRESSES_BUTTONS.has(name) &&
    event.target instanceof HTMLElement &&
    event.target.closest("button, a, [role=menuitem]")
  )
    return;
  const sequence = Date.now() - first.at < SEQUENCE_TIME ? `${first.key} ${name}` : "";
  first = { key: name, at: Date.now() };
  for (const wanted of sequence ? [sequence, name] : [name]) {
    for (const layer of [...layers].reverse()) {
      const shortcut = layer.current.find((one) => one.keys === wanted);
      if (!shortcut) continue;
      event.preventDefault();
      first = { key: "", at: 0 };
      shortcut.run(event);
      return;
    }
  }
}

addEventListener("keydown", onKey);

/** Binds keys while the component is mounted. */
export function useShortcuts(shortcuts: Shortcut[]): void {
  const layer = useRef(shortcuts);
  // Before the picture is painted: a key that is pressed as soon as something is seen works.
  useLayoutEffect(() => {
    layer.current = shortcuts;
  });
  useLayoutEffect(() => {
    layers.push(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
    };
  }, []);
}

/** What can be pressed now; of two with the same keys, the one that would be run. */
export function currentShortcuts(): Shortcut[] {
  const seen = new Map<string, Shortcut>();
  for (const layer of [...layers].reverse())
    for (const one of layer.current) if (!seen.has(one.keys)) seen.set(one.keys, one);
  return [...seen.values()];
}
