/** Small signs that stand in rows: status, colours, times, figures, curves. */

import { useSyncExternalStore } from "react";
import { runColorVar } from "../format/colors";
import { metric, MISSING, notFinite } from "../format/figures";
import { exact, moment } from "../format/times";

const STATUS = {
  RUNNING: ["run", "Running"],
  SCHEDULED: ["que", "Queued"],
  FINISHED: ["fin", "Finished"],
  FAILED: ["fail", "Failed"],
  KILLED: ["kill", "Stopped"],
} as const;

export const statusText = (status: string): string => STATUS[status as keyof typeof STATUS]?.[1] ?? status;

/** A run's status: shape and word, colour only where it matters. */
export function Status({ status, note }: { status: string; note?: string }) {
  const [kind, text] = STATUS[status as keyof typeof STATUS] ?? ["que", status];
  return (
    <span className={`st ${kind}`}>
      <i />
      {text}
      {note && <span className="n">{note}</span>}
    </span>
  );
}

/** The dot in a run's colour. */
export const RunDot = ({ runId, hollow }: { runId: string; hollow?: boolean }) => (
  <i className={`rd ${hollow ? "hollow" : ""}`} style={{ background: runColorVar(runId) }} />
);

/** The minute, for all relative times of the page at once. */
const minute = {
  listeners: new Set<() => void>(),
  timer: 0,
  subscribe: (listener: () => void) => {
    minute.listeners.add(listener);
    minute.timer ||= window.setInterval(() => minute.listeners.forEach((one) => one()), 20_000);
    return () => {
      minute.listeners.delete(listener);
      if (minute.listeners.size === 0) {
        window.clearInterval(minute.timer);
        minute.timer = 0;
      }
    };
  },
  now: () => Math.floor(Date.now() / 20_000) * 20_000,
};

export const useNow = (): number => useSyncExternalStore(minute.subscribe, minute.now);

/** A relative time with the exact one as its title. */
export function Moment({ time }: { time: number | null | undefined }) {
  const now = useNow();
  if (!time) return <span className="dim">{MISSING}</span>;
  return (
    <time dateTime={new Date(time).toISOString()} title={exact(time)}>
      {moment(time, Math.max(now, Date.now()))}
    </time>
  );
}

/** A metric's value in a row. */
export function Value({ value, decimals }: { value: number | null | undefined; decimals?: number }) {
  if (value === null || value === undefined) return <span className="dim">{MISSING}</span>;
  const name = notFinite(value);
  return name ? <span className="nanv">{name}</span> : <>{metric(value, decimals)}</>;
}

const PAD = 2.5;

/** A curve of 92 by 18: extremes kept by whoever made the buckets, log scale over a factor of four. */
export function Sparkline({
  values,
  color,
  width = 92,
  height = 18,
  live,
}: {
  values: readonly number[];
  color: string;
  width?: number;
  height?: number;
  live?: boolean;
}) {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return null;
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const log = low > 0 && high > 4 * low;
  const scale = (value: number) => (log ? Math.log(value) : value);
  const [bottom, top] = [scale(low), scale(high)];
  const x = (i: number) => PAD + (i / Math.max(1, values.length - 1)) * (width - 2 * PAD);
  const y = (value: number) => PAD + (1 - (scale(value) - bottom) / (top - bottom || 1)) * (height - 2 * PAD);
  const points = values.flatMap((value, i) => (Number.isFinite(value) ? [[x(i), y(value)] as const] : []));
  const last = points[points.length - 1]!;
  const broken = !Number.isFinite(values[values.length - 1]);
  return (
    <svg className="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <polyline
        points={points.map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`).join(" ")}
        style={{ stroke: color }}
      />
      {broken ? (
        <path className="nanmark" d={`M${last[0] + 2} ${PAD}v${height - 2 * PAD}`} />
      ) : (
        <circle cx={last[0]} cy={last[1]} r={live ? 2.2 : 1.8} style={{ fill: color }} />
      )}
    </svg>
  );
}
