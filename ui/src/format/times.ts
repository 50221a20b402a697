/** How times and durations read, as the guide's section 3 has it. */

import { MISSING } from "./figures";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");

/** Two units with spaces: `5 h 41 m`, `38 m 04 s`, `820 ms`. */
export function duration(milliseconds: number): string {
  if (milliseconds < SECOND) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (milliseconds < 10 * SECOND) return `${(milliseconds / SECOND).toFixed(1)} s`;
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`;
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} m ${two((milliseconds % MINUTE) / SECOND)} s`;
  if (milliseconds < DAY) return `${Math.floor(milliseconds / HOUR)} h ${two((milliseconds % HOUR) / MINUTE)} m`;
  return `${Math.floor(milliseconds / DAY)} d ${two((milliseconds % DAY) / HOUR)} h`;
}

/** Relative up to 24 hours, then day and month, with the year when it is not this one. */
export function moment(time: number | null | undefined, now: number = Date.now()): string {
  if (!time) return MISSING;
  const age = now - time;
  if (age >= 0 && age < MINUTE) return "just now";
  if (age >= 0 && age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (age >= 0 && age < DAY) return `${Math.floor(age / HOUR)} h ago`;
  const date = new Date(time);
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return date.getFullYear() === new Date(now).getFullYear() ? day : `${day} ${date.getFullYear()}`;
}

/** ISO 8601 with the zone of the visitor. */
export function exact(time: number): string {
  const date = new Date(time);
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
  return new Date(time + offset * MINUTE).toISOString().replace("Z", zone);
}

/** `13:02`. */
export function clock(time: number): string {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}
