/** Dragging charts and sections. What is dragged may scroll out of the page meanwhile, so the window listens. */

import { useRef, useState, type ReactNode } from "react";
import { moveChart, moveSection, type Chart, type Section } from "./layout";
import type { ChartSettings } from "./settings";
import { useStage } from "./stage";

interface Target {
  section: string;
  before: string | null;
  /** The edge where it would go, in the window. */
  edge: { left: number; top: number; height: number; width?: number };
}

interface Dragged {
  title: string;
  targetAt: (x: number, y: number, sections: readonly Section[]) => Target | null;
  drop: (target: Target, sections: readonly Section[], settings: ChartSettings) => Partial<ChartSettings>;
}

const LEAST = 6;

export function useChartDrag(sections: readonly Section[]): {
  grabChart: (event: React.PointerEvent, chart: Chart) => void;
  grabSection: (event: React.PointerEvent, section: Section) => void;
  dropped: ReactNode;
} {
  const { settings, change } = useStage();
  const [ghost, setGhost] = useState<{ title: string; x: number; y: number; target: Target | null } | null>(null);
  const now = useRef({ sections, settings });
  now.current = { sections, settings };

  const grab = (event: React.PointerEvent, { title, targetAt, drop }: Dragged) => {
    const start = { x: event.clientX, y: event.clientY };
    let target: Target | null = null;
    let moving = false;
    const move = ({ clientX: x, clientY: y }: PointerEvent) => {
      moving ||= Math.hypot(x - start.x, y - start.y) >= LEAST;
      if (!moving) return;
      target = targetAt(x, y, now.current.sections);
      setGhost({ title, x, y, target });
    };
    const stop = (dropping: boolean) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("keydown", key, true);
      setGhost(null);
      if (dropping && target) change(drop(target, now.current.sections, now.current.settings));
    };
    const up = () => stop(moving);
    const key = (pressed: KeyboardEvent) => {
      if (pressed.key === "Escape") stop(false);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("keydown", key, true);
  };

  const grabChart = (event: React.PointerEvent, { id, title }: Chart) =>
    grab(event, {
      title,
      targetAt: placeAt,
      drop: (target, all, held) => moveChart(all, held, id, target),
    });
  const grabSection = (event: React.PointerEvent, { name, title }: Section) =>
    grab(event, {
      title,
      targetAt: (x, y, all) => sectionAt(x, y, all, name),
      drop: ({ section }, all) => moveSection(all, name, section),
    });

  const dropped = ghost && (
    <>
      {ghost.target && <div className="dropline" style={ghost.target.edge} />}
      <div className="dragged mono" style={{ left: ghost.x + 10, top: ghost.y + 10 }}>
        {ghost.title}
      </div>
    </>
  );
  return { grabChart, grabSection, dropped };
}

/** Where a chart would go: before or behind the one under the pointer. */
function placeAt(x: number, y: number, sections: readonly Section[]): Target | null {
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

/** Where a section would go: in place of the one under the pointer, which gives way. */
function sectionAt(x: number, y: number, sections: readonly Section[], moved: string): Target | null {
  const element = document.elementFromPoint(x, y)?.closest<HTMLElement>("[data-section]");
  const section = element?.dataset.section;
  const names = sections.flatMap(({ name, pinned }) => (pinned ? [] : [name]));
  if (!element || section === undefined || section === moved || !names.includes(section)) return null;
  const { left, top, bottom, width } = element.getBoundingClientRect();
  const edge = names.indexOf(section) > names.indexOf(moved) ? bottom : top;
  return { section, before: null, edge: { left, top: edge - 1, height: 2, width } };
}
