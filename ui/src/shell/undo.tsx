/** What was just done, with a way back, at the bottom left for ten seconds. */

import { useEffect, useSyncExternalStore } from "react";
import { Button } from "../kit/controls";
import { useShortcuts } from "./shortcuts";

interface Done {
  text: string;
  undo?: () => Promise<unknown>;
  failed?: boolean;
}

const SHOWN = 10_000;
let shown: Done | null = null;
const listeners = new Set<() => void>();

function show(done: Done | null): void {
  shown = done;
  listeners.forEach((listener) => listener());
}

/** Says what was done; with `undo`, how to take it back. */
export const announce = (text: string, undo?: () => Promise<unknown>): void => show({ text, undo });

/** Says what could not be done. */
export const announceProblem = (error: unknown): void =>
  show({ text: error instanceof Error ? error.message : String(error), failed: true });

export function UndoBar() {
  const done = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
  useEffect(() => {
    if (!done) return;
    const timer = window.setTimeout(() => show(null), SHOWN);
    return () => window.clearTimeout(timer);
  }, [done]);
  const undo = async () => {
    if (!done?.undo) return;
    show(null);
    try {
      await done.undo();
      announce("Undone");
    } catch (error) {
      announceProblem(error);
    }
  };
  useShortcuts(done?.undo ? [{ keys: "Ctrl+Z", does: "Undo", run: () => void undo() }] : []);
  return (
    <div role="status" aria-live="polite" className="undo">
      {done && (
        <div className={`selbar ${done.failed ? "failed" : ""}`}>
          {done.text}
          {done.undo && (
            <>
              <span className="sep" />
              <Button icon="undo" onClick={() => void undo()}>
                Undo <kbd>Ctrl Z</kbd>
              </Button>
            </>
          )}
          <Button icon="x" title="Close" onClick={() => show(null)} />
        </div>
      )}
    </div>
  );
}
