/** Series as the server sends them in its binary form (docs/reference/series-format.md), read where they lie. */

export const SERIES_TYPE = "application/vnd.stele.series";

export type XAxis = "step" | "time" | "relative";

/**
 * One series: exact points, or buckets of them by ascending x. Of a point `low`, `high`, `mean` and `last` are the
 * same array.
 */
export interface Curve {
  runId: string;
  key: string;
  /** How many points it stands for. */
  points: number;
  /** The start of the run, in milliseconds since 1970. */
  origin: number;
  /** Points, or the middles of buckets, in units of the axis that was asked for. */
  x: Float64Array;
  /** The least and the greatest x of each item. */
  startX: Float64Array;
  endX: Float64Array;
  low: Float64Array;
  high: Float64Array;
  mean: Float64Array;
  last: Float64Array;
  /** How many points of each item are NaN; null when the items are points. */
  nans: Float64Array | null;
  /** Times of points, or of the last point in each bucket, in milliseconds since 1970. */
  times: Float64Array;
}

interface Column {
  type: "int64" | "float64";
  at: number;
  length: number;
}

interface Head {
  form: "points" | "buckets";
  run_id: string;
  key: string;
  points: number;
  origin: number;
}

type Entry = Head & Record<string, Column>;

const MAGIC = "STELSER1";
const PREFIX = 16;

/** Reads an answer. Throws a RangeError for bytes that are none. */
export function decodeSeries(body: ArrayBuffer, axis: XAxis): { curves: Curve[]; nextPageToken: string } {
  if (body.byteLength < PREFIX || new TextDecoder("latin1").decode(new Uint8Array(body, 0, 8)) !== MAGIC) {
    throw new RangeError(`The answer does not begin with ${MAGIC}.`);
  }
  const start = PREFIX + new DataView(body).getUint32(8, true);
  if (start > body.byteLength) throw new RangeError(`The header ends at ${start}, the answer at ${body.byteLength}.`);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(body, PREFIX, start - PREFIX))) as {
    series: Entry[];
    next_page_token?: string;
  };
  const read = (column: Column): Float64Array => {
    const at = start + column.at;
    if (at + column.length * 8 > body.byteLength) throw new RangeError(`A column at ${at} lies outside of the answer.`);
    return column.type === "float64" ? new Float64Array(body, at, column.length) : integers(body, at, column.length);
  };
  return {
    curves: header.series.map((entry) => (entry.form === "points" ? exact(entry, read, axis) : summed(entry, read))),
    nextPageToken: header.next_page_token ?? "",
  };
}

/** 64-bit integers as doubles; without a BigInt for each, which would take most of the time. */
function integers(body: ArrayBuffer, at: number, length: number): Float64Array {
  const low = new Uint32Array(body, at, length * 2);
  const high = new Int32Array(body, at, length * 2);
  const values = new Float64Array(length);
  for (let i = 0; i < length; i++) values[i] = high[2 * i + 1]! * 0x1_0000_0000 + low[2 * i]!;
  return values;
}

const headOf = ({ run_id: runId, key, points, origin }: Entry) => ({ runId, key, points, origin });

function exact(entry: Entry, read: (column: Column) => Float64Array, axis: XAxis): Curve {
  const times = read(entry.timestamps!);
  const x = axis === "step" ? read(entry.steps!) : axis === "time" ? times : times.map((time) => time - entry.origin);
  const values = read(entry.values!);
  return {
    ...headOf(entry),
    x,
    startX: x,
    endX: x,
    low: values,
    high: values,
    mean: values,
    last: values,
    nans: null,
    times,
  };
}

function summed(entry: Entry, read: (column: Column) => Float64Array): Curve {
  const startX = read(entry.first_x!);
  const endX = read(entry.last_x!);
  return {
    ...headOf(entry),
    x: startX.map((value, i) => (value + endX[i]!) / 2),
    startX,
    endX,
    low: read(entry.min!),
    high: read(entry.max!),
    mean: read(entry.mean!),
    last: read(entry.last!),
    nans: read(entry.nans!),
    times: read(entry.timestamps!),
  };
}

/** Where a series first stopped being finite: its last finite item before that, and what came. */
export function breakOf(curve: Curve): { index: number; name: "NaN" | "+Inf" | "−Inf" } | null {
  let finite = -1;
  for (let i = 0; i < curve.mean.length; i++) {
    const name = brokenBy(curve, i);
    if (name && finite >= 0) return { index: finite, name };
    if (Number.isFinite(curve.mean[i])) finite = i;
  }
  return null;
}

function brokenBy(curve: Curve, i: number): "NaN" | "+Inf" | "−Inf" | null {
  if (curve.high[i] === Infinity) return "+Inf";
  if (curve.low[i] === -Infinity) return "−Inf";
  return Number.isNaN(curve.mean[i]) || curve.nans?.[i] ? "NaN" : null;
}
