/**
 * Series of what is on the screen. Charts say which keys they show; what is missing is asked for together, what
 * scrolls away is no longer waited for, and what was shown stays until something newer is there.
 */

import { addressOf, send } from "../../api/http";
import { decodeSeries, SERIES_TYPE, type Curve, type XAxis } from "./series";

export interface Scene {
  runIds: readonly string[];
  x: XAxis;
  range: readonly [number, number] | null;
}

export interface SeriesQuery {
  run_ids: readonly string[];
  keys: readonly string[];
  x: XAxis;
  start: number | null;
  end: number | null;
  buckets: number;
}

export type FetchSeries = (query: SeriesQuery, signal: AbortSignal) => Promise<Curve[]>;

/** What a chart knows of one key. */
export interface Shown {
  curves: readonly Curve[];
  /** The axis and the range that the curves were asked for with, which may be those of a moment ago. */
  x: XAxis;
  range: readonly [number, number] | null;
  loading: boolean;
  error: unknown;
}

interface Entry {
  key: string;
  x: XAxis;
  range: readonly [number, number] | null;
  /** null for a run that has no points here. */
  curves: Map<string, Curve | null>;
  stale: Set<string>;
  error: unknown;
  usedAt: number;
}

interface Flight {
  keys: Set<string>;
  runs: Set<string>;
  scene: string;
  stop: AbortController;
}

const KEYS_A_REQUEST = 200;
const PAIRS_A_REQUEST = 2000;
const BUCKET_BYTES = 80;
/** So that the first charts are drawn while the next ones are on their way. */
const BYTES_A_REQUEST = 2_000_000;
const FLIGHTS = 3;
const KEPT_BYTES = 64_000_000;

/** Fewer items for each curve where there are many: together they fill the same pixels. */
export function bucketsFor(runs: number): number {
  if (runs <= 4) return 1000;
  if (runs <= 24) return 500;
  if (runs <= 120) return 250;
  return 150;
}

/** Asks the server. */
export const fetchSeries: FetchSeries = async (query, signal) => {
  const address = addressOf("/api/2.0/stele/series");
  const response = await send("POST", address, { body: query, accept: SERIES_TYPE, signal });
  return decodeSeries(await response.arrayBuffer(), query.x).curves;
};

const NOTHING: readonly Curve[] = [];

export class SeriesLoader {
  private scene: Scene = { runIds: [], x: "step", range: null };
  private entries = new Map<string, Entry>();
  private last = new Map<string, Entry>();
  private wanted = new Map<string, number>();
  private listeners = new Map<string, Set<() => void>>();
  private snapshots = new Map<string, Shown>();
  private flights = new Set<Flight>();
  private scheduled = false;
  private clock = 0;

  constructor(private readonly fetcher: FetchSeries = fetchSeries) {}

  /** Says what all charts show from now on. */
  show(scene: Scene): void {
    this.scene = scene;
    this.snapshots.clear();
    this.dropFlights();
    this.notify(this.wanted.keys());
    this.schedule();
  }

  /** Runs whose points may have become more: asked for again, shown as they are until then. */
  refresh(runIds: readonly string[]): void {
    for (const entry of this.entries.values()) {
      entry.error = null;
      for (const id of runIds) if (entry.curves.has(id)) entry.stale.add(id);
    }
    this.schedule();
  }

  retry(key: string): void {
    const entry = this.entries.get(this.place(key));
    if (entry) entry.error = null;
    this.changed([key]);
    this.schedule();
  }

  /** Follows a key while a chart of it is on the screen. */
  follow(key: string, listener: () => void): () => void {
    this.wanted.set(key, (this.wanted.get(key) ?? 0) + 1);
    const listeners = this.listeners.get(key) ?? new Set();
    this.listeners.set(key, listeners.add(listener));
    this.schedule();
    return () => {
      const count = this.wanted.get(key)! - 1;
      listeners.delete(listener);
      if (count > 0) this.wanted.set(key, count);
      else {
        this.wanted.delete(key);
        this.listeners.delete(key);
        this.schedule();
      }
    };
  }

  /** What is known of a key now; the same object until that changes. */
  get(key: string): Shown {
    const held = this.snapshots.get(key);
    if (held) return held;
    const now = this.entries.get(this.place(key));
    const { runIds } = this.scene;
    const entry = now && runIds.some((id) => now.curves.has(id)) ? now : (this.last.get(key) ?? now);
    if (entry) entry.usedAt = ++this.clock;
    if (entry === now && now) this.last.set(key, now);
    const snapshot: Shown = {
      curves: entry ? runIds.flatMap((id) => entry.curves.get(id) ?? []) : NOTHING,
      x: entry?.x ?? this.scene.x,
      range: entry?.range ?? null,
      loading: !now?.error && runIds.some((id) => !now?.curves.has(id)),
      error: now?.error ?? null,
    };
    this.snapshots.set(key, snapshot);
    return snapshot;
  }

  /** Stops everything. */
  close(): void {
    for (const flight of this.flights) flight.stop.abort();
    this.flights.clear();
  }

  private place(key: string): string {
    const { x, range } = this.scene;
    return `${x} ${range?.join(" ") ?? ""}\n${key}`;
  }

  private changed(keys: Iterable<string>): void {
    const all = [...keys];
    for (const key of all) this.snapshots.delete(key);
    this.notify(all);
  }

  private notify(keys: Iterable<string>): void {
    for (const key of keys) this.listeners.get(key)?.forEach((listener) => listener());
  }

  /** All charts that appear or disappear in one go are looked at together. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.dropFlights();
      this.send();
      this.forget();
    });
  }

  /** Requests that nobody waits for any more. */
  private dropFlights(): void {
    const scene = this.place("");
    for (const flight of this.flights) {
      if (flight.scene === scene && [...flight.keys].some((key) => this.wanted.has(key))) continue;
      flight.stop.abort();
      this.flights.delete(flight);
    }
  }

  private send(): void {
    for (const [runs, keys] of this.missing()) {
      const buckets = bucketsFor(this.scene.runIds.length);
      const each = Math.min(
        KEYS_A_REQUEST,
        Math.floor(PAIRS_A_REQUEST / runs.length),
        Math.max(1, Math.floor(BYTES_A_REQUEST / (runs.length * buckets * BUCKET_BYTES))),
      );
      for (let at = 0; at < keys.length; at += each) {
        if (this.flights.size >= FLIGHTS) return;
        void this.ask(runs, keys.slice(at, at + each), buckets);
      }
    }
  }

  /** Keys to ask for, by the runs that are missing of them. */
  private missing(): [string[], string[]][] {
    const groups = new Map<string, [string[], string[]]>();
    for (const key of this.wanted.keys()) {
      const entry = this.entries.get(this.place(key));
      if (entry?.error) continue;
      const flying = [...this.flights].filter((flight) => flight.keys.has(key));
      const runs = this.scene.runIds.filter(
        (id) => (!entry?.curves.has(id) || entry.stale.has(id)) && !flying.some((flight) => flight.runs.has(id)),
      );
      if (runs.length === 0) continue;
      const group = groups.get(runs.join());
      if (group) group[1].push(key);
      else groups.set(runs.join(), [runs, [key]]);
    }
    return [...groups.values()];
  }

  private async ask(runs: string[], keys: string[], buckets: number): Promise<void> {
    const { x, range } = this.scene;
    const flight: Flight = {
      keys: new Set(keys),
      runs: new Set(runs),
      scene: this.place(""),
      stop: new AbortController(),
    };
    this.flights.add(flight);
    const entries = keys.map((key) => this.entry(key));
    const [start, end] = range ? [Math.floor(range[0]), Math.ceil(range[1])] : [null, null];
    try {
      const curves = await this.fetcher({ run_ids: runs, keys, x, start, end, buckets }, flight.stop.signal);
      if (!this.flights.delete(flight)) return;
      const found = new Map(curves.map((curve) => [`${curve.runId}\n${curve.key}`, curve]));
      for (const entry of entries) {
        for (const id of runs) {
          entry.curves.set(id, found.get(`${id}\n${entry.key}`) ?? null);
          entry.stale.delete(id);
        }
      }
    } catch (problem) {
      if (!this.flights.delete(flight)) return;
      for (const entry of entries) entry.error = problem;
    }
    this.changed(keys);
    this.schedule();
  }

  private entry(key: string): Entry {
    const place = this.place(key);
    const held = this.entries.get(place);
    if (held) return held;
    const { x, range } = this.scene;
    const entry: Entry = { key, x, range, curves: new Map(), stale: new Set(), error: null, usedAt: ++this.clock };
    this.entries.set(place, entry);
    return entry;
  }

  /** Lets go of what has not been looked at for longest once it is too much. */
  private forget(): void {
    const idle = [...this.entries].filter(
      ([place, entry]) => !this.wanted.has(entry.key) || place !== this.place(entry.key),
    );
    let bytes = idle.reduce((sum, [, entry]) => sum + bytesOf(entry), 0);
    if (bytes <= KEPT_BYTES) return;
    for (const [place, entry] of idle.sort(([, a], [, b]) => a.usedAt - b.usedAt)) {
      if (bytes <= KEPT_BYTES) return;
      bytes -= bytesOf(entry);
      this.entries.delete(place);
      if (this.last.get(entry.key) === entry && !this.wanted.has(entry.key)) this.last.delete(entry.key);
    }
  }
}

function bytesOf(entry: Entry): number {
  let items = 0;
  for (const curve of entry.curves.values()) items += curve?.x.length ?? 0;
  return items * BUCKET_BYTES;
}
