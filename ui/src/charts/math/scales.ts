/** Axes: numbers to pixels and back, and where their ticks stand. */

import { ticks as linearTicks } from "d3-array";
import { metric, tick } from "../../format/figures";
import { clock, duration } from "../../format/times";

export type Span = readonly [number, number];

export interface Scale {
  domain: Span;
  log: boolean;
  /** The pixel of a value; NaN for what a logarithm has no place for. */
  at: (value: number) => number;
  invert: (pixel: number) => number;
}

/** A scale from `domain` to the pixels of `range`, which may run downwards. */
export function scale(domain: Span, range: Span, log = false): Scale {
  const into = log ? Math.log10 : (value: number) => value;
  const from = log ? (value: number) => 10 ** value : (value: number) => value;
  const [low, high] = [into(domain[0]), into(domain[1])];
  const factor = (range[1] - range[0]) / (high - low || 1);
  return {
    domain,
    log,
    at: (value) => (log && value <= 0 ? NaN : range[0] + (into(value) - low) * factor),
    invert: (pixel) => from(low + (pixel - range[0]) / factor),
  };
}

/** About `count` round numbers of a domain; of a logarithmic one powers of ten, or 1, 2 and 5 of each. */
export function ticksOf({ domain: [low, high], log }: Pick<Scale, "domain" | "log">, count: number): number[] {
  if (!log || high / low < 8) return linearTicks(low, high, count);
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const steps = last - first <= 2 ? [1, 2, 5] : [1];
  const apart = Math.max(1, Math.ceil((last - first) / (count + 1)));
  const found: number[] = [];
  for (let power = first; power <= last; power += apart) {
    // 10 ** -5 is not what 1e-5 is read as; the text is.
    for (const step of steps) found.push(Number(`${step}e${power}`));
  }
  return found.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
}

const UNITS = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** Where there is no short unit any more. */
const VAST = 1e12;
const alone = (value: number): string => (Math.abs(value) >= VAST ? metric(value) : tick(value));

/** Ticks as they read beside each other: with as many decimals as the distance between them needs. */
export function tickTexts(values: readonly number[], log: boolean): string[] {
  if (log || values.length < 2) return values.map(alone);
  const step = Math.abs(values[1]! - values[0]!);
  const largest = Math.max(...values.map(Math.abs));
  if (largest >= VAST) return values.map(alone);
  const unit = UNITS.find(([size]) => largest >= 10 * size);
  if (unit) return values.map((value) => (value === 0 ? "0" : `${tick(value / unit[0])}${unit[1]}`));
  if (step < 1e-4) return values.map((value) => (value === 0 ? "0" : tick(value)));
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return values.map((value) => (value !== 0 && Math.abs(value) < 1e-3 ? tick(value) : metric(value, decimals)));
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * DAY),
];

/** Ticks of milliseconds: round durations, or from local midnight on for points in time. */
export function timeTicks([low, high]: Span, count: number, absolute: boolean): number[] {
  const wanted = (high - low) / Math.max(1, count);
  if (wanted < SECOND) return linearTicks(low, high, count);
  const step = STEPS.find((one) => one >= wanted) ?? STEPS[STEPS.length - 1]!;
  const shift = absolute ? -new Date(low).getTimezoneOffset() * MINUTE : 0;
  const found: number[] = [];
  for (let at = Math.ceil((low + shift) / step) * step; at - shift <= high; at += step) found.push(at - shift);
  return found;
}

/** `40 min`, `2 h`, `3 d`: a round duration on an axis. */
export function durationTick(milliseconds: number): string {
  if (milliseconds === 0) return "0";
  for (const [unit, name] of [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "min"],
    [SECOND, "s"],
  ] as const) {
    if (milliseconds >= unit) return `${tick(milliseconds / unit)} ${name}`;
  }
  return duration(milliseconds);
}

/** A point in time on an axis whose ticks are `step` apart. */
export function timeTick(time: number, step: number): string {
  const date = new Date(time);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (step >= DAY || midnight) return date.toLocaleDateString("en", { day: "numeric", month: "short" });
  return step < MINUTE ? `${clock(time)}:${String(date.getSeconds()).padStart(2, "0")}` : clock(time);
}

/** A domain with some room at its ends; one value alone gets room as well. */
export function roomy([low, high]: Span, log: boolean, room = 0.04): Span {
  if (log) {
    const factor = high > low ? (high / low) ** room : 2;
    return [low / factor, high * factor];
  }
  const extra = high > low ? (high - low) * room : Math.abs(high) * 0.1 || 1;
  return [low - extra, high + extra];
}
