/**
 * Live updates: one stream of the server's events for what is on the page. The stream is read with fetch, because an
 * EventSource cannot send a token. While it is down, what is shown is asked for again every few seconds. A tab that nobody
 * looks at has no stream: a browser opens six connections to a server, and six such tabs would leave none for the seventh.
 */

import { useEffect, useSyncExternalStore } from "react";
import { addressOf, ApiError, send } from "./http";
import { keys, queryClient } from "./queries";

export interface Connection {
  /** `away`: the server does not answer. `polling`: it answers, but not with events. */
  state: "idle" | "live" | "polling" | "away";
  /** When data last came, in milliseconds since 1970. */
  since: number;
  /** When the next try is, if one is planned. */
  retryAt: number;
}

let connection: Connection = { state: "idle", since: Date.now(), retryAt: 0 };
const listeners = new Set<() => void>();

function report(change: Partial<Connection>): void {
  connection = { ...connection, ...change };
  listeners.forEach((listener) => listener());
}

export const useConnection = (): Connection =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection,
  );

const FIRST_RETRY = 1000;
const LONGEST_RETRY = 10_000;
const POLL = 5000;

interface ChangedData {
  experiments?: string[];
  runs?: string[];
}

/** One event of the stream: its name and its data. */
export function parseEvents(text: string): { events: { name: string; data: string }[]; rest: string } {
  const blocks = text.replace(/\r\n/g, "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  const events = blocks.flatMap((block) => {
    const lines = block.split("\n");
    const field = (name: string) =>
      lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ""));
    const data = field("data").join("\n");
    return data || field("event").length ? [{ name: field("event")[0] ?? "message", data }] : [];
  });
  return { events, rest };
}

function forget(name: string, data: string): void {
  report({ since: Date.now() });
  if (name === "models") void queryClient.invalidateQueries({ queryKey: keys.models });
  if (name === "experiments") void queryClient.invalidateQueries({ queryKey: keys.experiments });
  if (name !== "changed") return;
  const changed = JSON.parse(data) as ChangedData;
  for (const id of changed.experiments ?? []) void queryClient.invalidateQueries({ queryKey: keys.runs(id) });
  for (const id of changed.runs ?? []) void queryClient.invalidateQueries({ queryKey: keys.run(id) });
  if (changed.experiments?.length) void queryClient.invalidateQueries({ queryKey: keys.experiments });
}

async function follow(query: Record<string, string[]>, signal: AbortSignal, onOpen: () => void): Promise<void> {
  const response = await send("GET", addressOf("/api/2.0/stele/events", query), {
    accept: "text/event-stream",
    signal,
  });
  report({ state: "live", since: Date.now(), retryAt: 0 });
  onOpen();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const { events, rest } = parseEvents(held + value);
    held = rest;
    events.forEach((event) => forget(event.name, event.data));
  }
}

/** Waits, unless the visitor wants it now or the page goes on. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  report({ retryAt: Date.now() + milliseconds });
  return new Promise((resolve) => {
    const finish = () => {
      window.clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      retryNow = () => undefined;
      resolve();
    };
    const timer = window.setTimeout(finish, milliseconds);
    signal.addEventListener("abort", finish);
    retryNow = finish;
  });
}

/** Resolves once the tab is looked at, or the page goes on. */
function looked(signal: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const done = new AbortController();
    const finish = () => {
      if (document.hidden && !signal.aborted) return;
      done.abort();
      resolve();
    };
    document.addEventListener("visibilitychange", finish, { signal: done.signal });
    signal.addEventListener("abort", finish, { signal: done.signal });
  });
}

/** Is aborted when the tab goes out of sight; by whoever has it once that no longer matters. */
function inSight(): AbortController {
  const sight = new AbortController();
  document.addEventListener("visibilitychange", () => document.hidden && sight.abort(), { signal: sight.signal });
  return sight;
}

let retryNow: () => void = () => undefined;
/** Tries again at once. */
export const tryNow = (): void => retryNow();

/** What the server tells of, by the first word of its keys. */
const TOLD: readonly unknown[] = [keys.experiments[0], keys.runs("")[0], keys.run("")[0], keys.models[0]];

/** How long ago the oldest of what the page shows came, in milliseconds. */
function age(): number {
  const shown = queryClient
    .getQueryCache()
    .findAll({ type: "active", predicate: (one) => TOLD.includes(one.queryKey[0]) });
  const times = shown.map((one) => one.state.dataUpdatedAt).filter((time) => time > 0);
  return Math.max(0, Date.now() - Math.min(...times, Date.now()));
}

async function listen(wanted: Record<string, string[]>, signal: AbortSignal): Promise<void> {
  let wait = FIRST_RETRY;
  let missed = false;
  const readAgain = () => void queryClient.invalidateQueries({ refetchType: "active" });
  while (!signal.aborted) {
    let polling = false;
    await looked(signal);
    if (signal.aborted) return;
    const sight = inSight();
    try {
      // What changed before the stream opens is told at first; what was missed since it broke is read again.
      const query = missed ? wanted : { ...wanted, age: [String(age())] };
      await follow(query, AbortSignal.any([signal, sight.signal]), () => missed && readAgain());
      wait = FIRST_RETRY;
    } catch (problem) {
      if (signal.aborted) return;
      missed = true;
      if (sight.signal.aborted) continue;
      polling = problem instanceof ApiError && problem.status !== 0 && problem.status < 500;
      report({ state: polling ? "polling" : "away" });
    } finally {
      sight.abort();
    }
    if (signal.aborted) return;
    await pause(polling ? POLL : wait, signal);
    wait = Math.min(wait * 2, LONGEST_RETRY);
    if (polling && !signal.aborted) readAgain();
    missed = true;
  }
}

/** Keeps what the page shows of these experiments and runs up to date while it is mounted. */
export function useLive(experiments: readonly string[], runs: readonly string[] = []): void {
  const wanted = JSON.stringify({ experiment_id: [...experiments].sort(), run_id: [...runs].sort() });
  useEffect(() => {
    const stop = new AbortController();
    void listen(JSON.parse(wanted) as Record<string, string[]>, stop.signal);
    return () => stop.abort();
  }, [wanted]);
}
