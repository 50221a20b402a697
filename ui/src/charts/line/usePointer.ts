/** The pointer and the keys on a line chart: the cursor of all charts, the zoom of all charts. */

import { useRef } from "react";
import { useStage } from "../board/stage";
import type { Plot } from "./paint";

export interface Place {
  x: number;
  /** Pixels in the drawing. */
  across: number;
  down: number;
}

/** A drag shorter than this is a click. */
const LEAST_DRAG = 5;
const KEY_STEP = 1 / 60;

export function usePointer(plot: Plot, snap: (x: number) => number, onMove: (place: Place | null) => void) {
  const { cursor, settings, change } = useStage();
  const drag = useRef<{ x: number; across: number } | null>(null);

  const placeOf = (event: React.PointerEvent<HTMLElement>): Place => {
    const box = event.currentTarget.getBoundingClientRect();
    const across = Math.max(plot.left, Math.min(plot.width - plot.right, event.clientX - box.left));
    return { x: plot.x.invert(across), across, down: event.clientY - box.top };
  };

  const zoom = (range: [number, number] | null) => change({ range });

  const step = (by: number) => {
    const from = cursor.get()?.x ?? plot.x.domain[0];
    const across = plot.x.at(from) + by * (plot.width - plot.left - plot.right);
    const x = plot.x.invert(Math.max(plot.left, Math.min(plot.width - plot.right, across)));
    cursor.set({ x, from: null });
    onMove({ x, across: plot.x.at(x), down: plot.top });
  };

  return {
    onPointerMove: (event: React.PointerEvent<HTMLElement>) => {
      const place = placeOf(event);
      if (drag.current) cursor.set({ x: place.x, from: drag.current.x });
      else {
        place.x = snap(place.x);
        cursor.set({ x: place.x, from: null });
      }
      onMove(drag.current ? null : place);
    },
    onPointerDown: (event: React.PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      const { x, across } = placeOf(event);
      drag.current = { x, across };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerUp: (event: React.PointerEvent<HTMLElement>) => {
      const from = drag.current;
      drag.current = null;
      if (!from) return;
      const to = placeOf(event);
      cursor.set({ x: to.x, from: null });
      if (Math.abs(to.across - from.across) >= LEAST_DRAG) zoom([Math.min(from.x, to.x), Math.max(from.x, to.x)]);
    },
    onPointerLeave: () => {
      if (drag.current) return;
      cursor.set(null);
      onMove(null);
    },
    onPointerCancel: () => {
      drag.current = null;
      cursor.set(null);
      onMove(null);
    },
    onDoubleClick: () => {
      if (settings.range) zoom(null);
    },
    onKeyDown: (event: React.KeyboardEvent) => {
      if (event.target !== event.currentTarget) return;
      if (event.key === "ArrowRight") step(event.shiftKey ? KEY_STEP * 6 : KEY_STEP);
      else if (event.key === "ArrowLeft") step(event.shiftKey ? -KEY_STEP * 6 : -KEY_STEP);
      else if (event.key === "Escape" && settings.range) zoom(null);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    onBlur: () => {
      cursor.set(null);
      onMove(null);
    },
  };
}
