import { useRef } from "react";
import type { Width } from "./settings";

/** The right edge of a card: dragged, or moved with the arrow keys, it makes the card one to three columns wide. */
export function ResizeEdge({
  title,
  width,
  columns,
  onResize,
}: {
  title: string;
  width: Width;
  columns: number;
  onResize: (width: Width) => void;
}) {
  const most = Math.min(3, columns);
  const start = useRef<{ x: number; column: number } | null>(null);
  const fit = (wanted: number) => Math.max(1, Math.min(most, Math.round(wanted))) as Width;
  const set = (next: Width) => next !== width && onResize(next);
  if (most === 1) return null;
  return (
    <div
      className="resize"
      role="slider"
      tabIndex={0}
      aria-label={`Width of ${title}`}
      aria-valuemin={1}
      aria-valuemax={most}
      aria-valuenow={width}
      aria-valuetext={width === 1 ? "1 column" : `${width} columns`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, column: event.currentTarget.parentElement!.offsetWidth / width };
      }}
      onPointerMove={(event) => {
        const from = start.current;
        if (!from) return;
        const wide = fit(width + (event.clientX - from.x) / from.column);
        if (wide === width) return;
        start.current = { ...from, x: from.x + (wide - width) * from.column };
        set(wide);
      }}
      onPointerUp={() => (start.current = null)}
      onPointerCancel={() => (start.current = null)}
      onKeyDown={(event) => {
        const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        set(fit(width + by));
      }}
    />
  );
}
