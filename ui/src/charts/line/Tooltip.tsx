/** What the curves are at the cursor, in the chart under the pointer. */

import { useLayoutEffect, useRef } from "react";
import { count, decimalsFor, metric } from "../../format/figures";
import { duration, exact } from "../../format/times";
import type { XAxis } from "../data/series";
import type { Axes } from "./model";
import type { Reading } from "./overlay";
import type { Plot } from "./paint";
import type { Place } from "./usePointer";

export interface Pointed extends Place {
  readings: readonly Reading[];
}

const NEAREST = 5;
const GAP = 14;

/** The place of the cursor as the flag on the axis says it. */
export function flagText(x: number, axis: XAxis, axes: Axes): string {
  if (axis === "step") return count(x);
  if (axis === "relative") return duration(x);
  const text = exact(x);
  return axes.x[1] - axes.x[0] > 86_400_000 ? text.slice(5, 16).replace("T", " ") : text.slice(11, 19);
}

/** The five nearest values, the lowest first, and how many more there are. */
export function Tooltip({ pointed, plot, axis }: { pointed: Pointed; plot: Plot; axis: XAxis }) {
  const box = useRef<HTMLDivElement>(null);
  const { readings, across, down, x } = pointed;
  const distance = (one: Reading) => Math.abs(one.down - down);
  const near = [...readings].sort((a, b) => distance(a) - distance(b)).slice(0, NEAREST);
  const shown = near.slice().sort((a, b) => a.value - b.value);
  const decimals = decimalsFor(shown.map(({ value }) => value));
  const first = near[0]!;

  useLayoutEffect(() => {
    const tip = box.current!;
    const right = across + GAP;
    const fits = right + tip.offsetWidth <= window.innerWidth - tip.parentElement!.getBoundingClientRect().left - 8;
    tip.style.left = `${fits ? right : across - GAP - tip.offsetWidth}px`;
    // On the other half than the nearest curves, so that it stays clear of them.
    const low = first.down > plot.height / 2;
    tip.style.top = low ? `${Math.min(0, first.down - tip.offsetHeight - GAP)}px` : "";
    tip.style.bottom = low ? "" : `${Math.min(plot.bottom + 4, plot.height - first.down - tip.offsetHeight - GAP)}px`;
  });

  return (
    <div ref={box} className="tip" role="status">
      <div className="row nw">
        <b className="b">{axis === "step" ? `step ${count(first.line.x[first.index]!)}` : when(x, axis)}</b>
        {axis === "step" && <span className="n">{elapsed(first)}</span>}
      </div>
      <table>
        <tbody>
          {shown.map((reading) => (
            <tr key={reading.line.name + reading.line.id}>
              <td>
                <i className="rd" style={{ background: `var(--run-${reading.line.color})` }} />
                <span className={reading === first ? "b" : ""}>{reading.line.name}</span>
              </td>
              <td className="r">{metric(reading.value, decimals)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <span className="n">
        {readings.length > NEAREST ? `${count(readings.length - NEAREST)} more · lowest first` : ""}
      </span>
    </div>
  );
}

const when = (x: number, axis: XAxis): string =>
  axis === "relative" ? duration(x) : exact(x).replace("T", " ").slice(0, 19);

/** How long the run had taken; the mean of a group does not say. */
function elapsed({ line: { curve }, index }: Reading): string {
  return curve ? duration(curve.times[index]! - curve.origin) : "";
}
