import { describe, expect, it } from "vitest";
import { breakOf, decodeSeries, type Curve } from "./series";

type Columns = Record<string, bigint[] | number[]>;

/** What the server would send, as docs/reference/series-format.md describes it. */
function encode(series: { head: Record<string, unknown>; columns: Columns }[], token = ""): ArrayBuffer {
  let at = 0;
  const parts: (bigint[] | number[])[] = [];
  const entries = series.map(({ head, columns }) => {
    const places = Object.entries(columns).map(([name, values]) => {
      const place = { type: typeof values[0] === "bigint" ? "int64" : "float64", at, length: values.length };
      at += values.length * 8;
      parts.push(values);
      return [name, place];
    });
    return { ...head, ...Object.fromEntries(places) };
  });
  const text = new TextEncoder().encode(JSON.stringify({ series: entries, next_page_token: token }));
  const header = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(16 + header + at).fill(32, 16, 16 + header);
  bytes.set(new TextEncoder().encode("STELSER1"));
  bytes.set(text, 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, header, true);
  let place = 16 + header;
  for (const value of parts.flat() as (bigint | number)[]) {
    if (typeof value === "bigint") view.setBigInt64(place, value, true);
    else view.setFloat64(place, value, true);
    place += 8;
  }
  return bytes.buffer;
}

const head = (form: string) => ({ form, run_id: "r1", key: "verlust/größe", points: 3, origin: 1000 });
const points = (steps: bigint[], values: number[]) => ({
  head: head("points"),
  columns: { steps, timestamps: steps.map((_, i) => 1000n + BigInt(i) * 500n), values },
});

describe("series", () => {
  it("reads points, on each of the axes", () => {
    const body = encode([points([0n, 10n, 20n], [1, NaN, -Infinity])], "next");
    const { curves, nextPageToken } = decodeSeries(body, "step");
    expect(nextPageToken).toBe("next");
    expect(curves[0]).toMatchObject({ runId: "r1", key: "verlust/größe", points: 3, origin: 1000 });
    expect([...curves[0]!.x]).toEqual([0, 10, 20]);
    expect([...curves[0]!.mean]).toEqual([1, NaN, -Infinity]);
    expect([...decodeSeries(body, "time").curves[0]!.x]).toEqual([1000, 1500, 2000]);
    expect([...decodeSeries(body, "relative").curves[0]!.x]).toEqual([0, 500, 1000]);
  });

  it("reads integers of both signs as BigInt64Array would", () => {
    const steps = [-(2n ** 53n), -4294967297n, -1n, 0n, 1n, 4294967296n, 2n ** 53n];
    const { curves } = decodeSeries(encode([points(steps, steps.map(Number))]), "step");
    expect([...curves[0]!.x]).toEqual(steps.map(Number));
  });

  it("reads buckets", () => {
    const columns = {
      first_x: [0n, 10n],
      last_x: [8n, 20n],
      counts: [2n, 1n],
      nans: [0n, 1n],
      infinities: [0n, 0n],
      min: [1, NaN],
      max: [3, NaN],
      mean: [2, NaN],
      last: [3, NaN],
      timestamps: [1800n, 3000n],
    };
    const { curves } = decodeSeries(encode([{ head: head("buckets"), columns }]), "step");
    expect([...curves[0]!.x]).toEqual([4, 15]);
    expect([...curves[0]!.high]).toEqual([3, NaN]);
    expect([...curves[0]!.times]).toEqual([1800, 3000]);
    expect(breakOf(curves[0]!)).toEqual({ index: 0, name: "NaN" });
  });

  it("refuses other bytes", () => {
    expect(() => decodeSeries(new ArrayBuffer(4), "step")).toThrow(RangeError);
    expect(() => decodeSeries(new TextEncoder().encode("{".padEnd(40)).buffer, "step")).toThrow("STELSER1");
    const whole = encode([points([1n, 2n], [1, 2])]);
    expect(() => decodeSeries(whole.slice(0, whole.byteLength - 8), "step")).toThrow("outside");
  });
});

describe("breakOf", () => {
  const curve = (values: number[]): Curve =>
    decodeSeries(
      encode([
        points(
          values.map((_, i) => BigInt(i)),
          values,
        ),
      ]),
      "step",
    ).curves[0]!;

  it("names what came behind the last finite point", () => {
    expect(breakOf(curve([1, 2, NaN, 3]))).toEqual({ index: 1, name: "NaN" });
    expect(breakOf(curve([1, Infinity]))).toEqual({ index: 0, name: "+Inf" });
    expect(breakOf(curve([1, -Infinity]))).toEqual({ index: 0, name: "−Inf" });
  });

  it("is silent for whole curves and for what begins without a number", () => {
    expect(breakOf(curve([1, 2, 3]))).toBeNull();
    expect(breakOf(curve([NaN, 2, 3]))).toBeNull();
  });
});
