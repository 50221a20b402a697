/** Dragging charts with the pointer. The card itself may scroll out of the page meanwhile, so the window listens. */

import { useRef, useState, type ReactNode } from "react";
import { moveChart, type Chart, type Section } from "./layout";
import { useStage } from "./stage";

interface Target {
  section: string;
  before: string | null;
  /** The edge where the chart would go, in the window. */
  edge: { left: number; top: number; height: number };
}

const LEAST = 6;

export function useChartDrag(sections: readonly Section[]): {
  grab: (event: React.PointerEvent, chart: Chart) => void;
  dropped: ReactNode;
} {
  const { settings, change } = useStage();
  const [ghost, setGhost] = useState<{ title: string; x: number; y: number; target: Target | null } | null>(null);
  const now = useRef({ sections, settings });
  now.current = { sections, settings };

  const grab = (event: React.PointerEvent, chart: Chart) => {
    const start = { x: event.clientX, y: event.clientY };
    let target: Target | null = null;
    let moving = false;
    const move = ({ clientX: x, clientY: y }: PointerEvent) => {
      moving ||= Math.hypot(x - start.x, y - start.y) >= LEAST;
      if (!moving) return;
      target = targetAt(x, y, now.current.sections);
      setGhost({ title: chart.title, x, y, target });
    };
    const stop = (drop: boolean) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("keydown", key, true);
      setGhost(null);
      if (drop && target) change(moveChart(now.current.sections, now.current.settings, chart.id, target));
    };
    const up = () => stop(moving);
    const key = (pressed: KeyboardEvent) => {
      if (pressed.key === "Escape") stop(false);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("keydown", key, true);
  };

  const dropped = ghost && (
    <>
      {ghost.target && <div className="dropline" style={ghost.target.edge} />}
      <div className="dragged mono" style={{ left: ghost.x + 10, top: ghost.y + 10 }}>
        {ghost.title}
      </div>
    </>
  );
  return { grab, dropped };
}

function targetAt(x: number, y: number, sections: readonly Section[]): Target | null {
  const element = document.elementFromPoint(x, y)?.closest<HTMLElement>("[data-section]");
  if (!element) return null;
  const section = element.dataset.section!;
  const box = element.getBoundingClientRect();
  const over = element.dataset.chart;
  if (over === undefined) return { section, before: null, edge: { left: box.left, top: box.bottom - 2, height: 4 } };
  const charts = sections.find(({ name }) => name === section)?.charts ?? [];
  const at = charts.findIndex(({ id }) => id === over);
  const right = x > box.left + box.width / 2;
  const before = charts[right ? at + 1 : at]?.id ?? null;
  return { section, before, edge: { left: right ? box.right + 5 : box.left - 7, top: box.top, height: box.height } };
}
