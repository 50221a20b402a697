import { describe, expect, it } from "vitest";
import { bucketsFor, SeriesLoader, type SeriesQuery } from "./loader";
import type { Curve } from "./series";

interface Asked {
  query: SeriesQuery;
  signal: AbortSignal;
  answer: (values?: Record<string, number>) => Promise<void>;
  refuse: () => Promise<void>;
}

const curve = (runId: string, key: string, value: number): Curve => {
  const values = Float64Array.of(value);
  const x = Float64Array.of(0);
  return {
    runId,
    key,
    points: 1,
    origin: 0,
    x,
    startX: x,
    endX: x,
    low: values,
    high: values,
    mean: values,
    last: values,
    nans: null,
    times: x,
  };
};

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A server that answers when it is told to. */
function server() {
  const asked: Asked[] = [];
  const loader = new SeriesLoader(
    (query, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
        asked.push({
          query,
          signal,
          answer: async (values = {}) => {
            resolve(query.run_ids.flatMap((run) => query.keys.map((key) => curve(run, key, values[run] ?? 1))));
            await settled();
          },
          refuse: async () => {
            reject(new Error("no"));
            await settled();
          },
        });
      }),
  );
  return { asked, loader };
}

const none = () => undefined;
const shownValues = (loader: SeriesLoader, key: string) => loader.get(key).curves.map(({ mean }) => mean[0]);

describe("SeriesLoader", () => {
  it("asks once for all charts that appear together", async () => {
    const { asked, loader } = server();
    loader.show({ runIds: ["a", "b"], x: "step", range: null });
    loader.follow("loss", none);
    loader.follow("acc", none);
    expect(loader.get("loss").loading).toBe(true);
    await settled();
    expect(asked.map(({ query }) => query)).toEqual([
      { run_ids: ["a", "b"], keys: ["loss", "acc"], x: "step", start: null, end: null, buckets: bucketsFor(2) },
    ]);
    await asked[0]!.answer();
    expect(loader.get("loss")).toMatchObject({ loading: false, error: null });
    expect(shownValues(loader, "loss")).toEqual([1, 1]);
  });

  it("asks only for the run that was added, and for nothing when one is hidden", async () => {
    const { asked, loader } = server();
    loader.show({ runIds: ["a", "b"], x: "step", range: null });
    loader.follow("loss", none);
    await settled();
    await asked[0]!.answer();
    loader.show({ runIds: ["b"], x: "step", range: null });
    await settled();
    expect(asked.length).toBe(1);
    expect(shownValues(loader, "loss")).toEqual([1]);
    loader.show({ runIds: ["b", "c"], x: "step", range: null });
    await settled();
    expect(asked[1]!.query.run_ids).toEqual(["c"]);
  });

  it("gives up what has scrolled away", async () => {
    const { asked, loader } = server();
    loader.show({ runIds: ["a"], x: "step", range: null });
    const leave = loader.follow("loss", none);
    await settled();
    leave();
    await settled();
    expect(asked[0]!.signal.aborted).toBe(true);
    loader.follow("loss", none);
    await settled();
    expect(asked.length).toBe(2);
  });

  it("shows the old curve while a finer one is on its way, and the whole one again at once", async () => {
    const { asked, loader } = server();
    loader.show({ runIds: ["a"], x: "step", range: null });
    loader.follow("loss", none);
    await settled();
    await asked[0]!.answer({ a: 1 });
    loader.get("loss");
    loader.show({ runIds: ["a"], x: "step", range: [2.5, 9.5] });
    await settled();
    expect(asked[1]!.query).toMatchObject({ start: 2, end: 10 });
    expect(loader.get("loss")).toMatchObject({ loading: true, range: null });
    expect(shownValues(loader, "loss")).toEqual([1]);
    await asked[1]!.answer({ a: 2 });
    expect(shownValues(loader, "loss")).toEqual([2]);
    loader.show({ runIds: ["a"], x: "step", range: null });
    await settled();
    expect(shownValues(loader, "loss")).toEqual([1]);
    expect(asked.length).toBe(2);
  });

  it("asks again for live runs and keeps what it has until then", async () => {
    const { asked, loader } = server();
    loader.show({ runIds: ["a", "b"], x: "step", range: null });
    loader.follow("loss", none);
    await settled();
    await asked[0]!.answer();
    loader.refresh(["b"]);
    await settled();
    expect(asked[1]!.query.run_ids).toEqual(["b"]);
    expect(loader.get("loss").loading).toBe(false);
    await asked[1]!.answer({ b: 5 });
    expect(shownValues(loader, "loss")).toEqual([1, 5]);
  });

  it("says what went wrong, and tries again when told to", async () => {
    const { asked, loader } = server();
    loader.show({ runIds: ["a"], x: "step", range: null });
    let told = 0;
    loader.follow("loss", () => told++);
    await settled();
    await asked[0]!.refuse();
    expect(loader.get("loss").error).toBeInstanceOf(Error);
    expect(told).toBe(1);
    expect(asked.length).toBe(1);
    loader.retry("loss");
    await settled();
    await asked[1]!.answer();
    expect(loader.get("loss")).toMatchObject({ error: null, loading: false });
  });

  it("stays within what the server takes in one request", async () => {
    const { asked, loader } = server();
    const runIds = Array.from({ length: 500 }, (_, i) => `r${i}`);
    loader.show({ runIds, x: "step", range: null });
    for (let i = 0; i < 10; i++) loader.follow(`m${i}`, none);
    for (let i = 0; i < 10; i++) {
      await settled();
      const open = asked[i];
      if (!open) break;
      expect(open.query.run_ids.length * open.query.keys.length).toBeLessThanOrEqual(2000);
      expect(open.query.run_ids.length * open.query.keys.length * open.query.buckets).toBeLessThanOrEqual(2_000_000);
      await open.answer();
    }
    expect(new Set(asked.flatMap(({ query }) => query.keys)).size).toBe(10);
  });

  it("gives the same object until something changes", async () => {
    const { asked, loader } = server();
    loader.show({ runIds: ["a"], x: "step", range: null });
    loader.follow("loss", none);
    const before = loader.get("loss");
    expect(loader.get("loss")).toBe(before);
    await settled();
    await asked[0]!.answer();
    expect(loader.get("loss")).not.toBe(before);
  });
});
