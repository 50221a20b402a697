import { lazy, startTransition, Suspense, useCallback, useEffect, useState } from "react";
import { Button } from "../../kit/controls";
import { Loading } from "../../kit/states";
import { Menu, type MenuItem } from "../../kit/Popover";
import { announce } from "../../shell/undo";
import { LineChart } from "../line/LineChart";
import type { DrawnLine } from "../line/model";
import { removeChart, stepChart, usualWidth, type Chart, type Section } from "./layout";
import { ResizeEdge } from "./ResizeEdge";
import { useStage } from "./stage";
import type { ChartOptions, Width } from "./settings";

const LineTable = lazy(() => import("../line/LineTable"));
const Picture = lazy(() => import("../pictures/Picture"));

export interface ChartCardProps {
  chart: Chart;
  section: Section;
  sections: readonly Section[];
  width: Width;
  /** Columns of the page: no chart is wider. */
  columns: number;
  /** Whether the card may wait a moment: the page is being scrolled, or it is below what is seen. */
  later: boolean;
  onEdit: (chart: Chart) => void;
  onGrab: (event: React.PointerEvent, chart: Chart) => void;
}

/** A chart with its name and what can be done with it. */
export function ChartCard({ chart, section, sections, width, columns, later, onEdit, onGrab }: ChartCardProps) {
  const stage = useStage();
  const { settings, change, groups } = stage;
  const own = settings.options[chart.id] ?? {};
  const [table, setTable] = useState(false);
  const [note, setNote] = useState("");
  const ready = useLinger(!later);
  const set = (part: ChartOptions) => change({ options: { ...settings.options, [chart.id]: { ...own, ...part } } });
  const move = (by: number) => change(stepChart(sections, settings, chart.id, section.name, by));
  const line = chart.kind === "line";
  const logY = own.logY ?? settings.logY;
  const clip = own.clip ?? settings.clip;
  const mean = groups.length > 0 && (own.mean ?? settings.mean);
  const pinned = settings.pinned.includes(chart.id);
  const remove = () => {
    change(removeChart(settings, chart));
    announce(`Removed ${chart.title}`, async () =>
      change({ added: settings.added, removed: settings.removed, pinned: settings.pinned }),
    );
  };
  const togglePin = () =>
    change({ pinned: pinned ? settings.pinned.filter((id) => id !== chart.id) : [...settings.pinned, chart.id] });

  const items: (MenuItem | null)[] = [
    { text: pinned ? "Unpin" : "Pin on top", icon: "pin", onChoose: togglePin },
    {
      text: table ? "Show as picture" : "Show as table",
      icon: table ? "chart" : "table",
      onChoose: () => setTable(!table),
    },
    ...(chart.own ? [{ text: "Edit", icon: "gear" as const, onChoose: () => onEdit(chart) }] : []),
    null,
    ...(line
      ? [
          { text: logY ? "Linear y" : "Logarithmic y", onChoose: () => set({ logY: !logY }) },
          { text: clip ? "Show outliers" : "Clip outliers", onChoose: () => set({ clip: !clip }) },
          ...(groups.length > 0
            ? [{ text: mean ? "Every run" : "Mean of each group", onChoose: () => set({ mean: !mean }) }]
            : []),
          null,
        ]
      : []),
    ...WIDTHS.filter(([wide]) => wide <= columns).map(([wide, text]) => ({
      text,
      icon: width === wide ? ("check" as const) : undefined,
      onChoose: () => set({ width: wide }),
    })),
    null,
    { text: "Move back", onChoose: () => move(-1) },
    { text: "Move on", onChoose: () => move(1) },
    { text: "Remove", icon: "x", onChoose: remove },
  ];

  return (
    <div
      role="group"
      className={`card ${section.pinned ? "keep" : ""}`}
      style={{ gridColumn: `span ${width}`, maxWidth: width * WIDEST }}
      aria-label={chart.title}
      data-chart={chart.id}
      data-section={section.name}
    >
      <header
        onPointerDown={(event) => {
          if (event.button === 0 && !(event.target as HTMLElement).closest("button, a")) onGrab(event, chart);
        }}
      >
        <h3 className={chart.kind === "importance" ? "" : "mono"} title={chart.title}>
          {chart.title}
        </h3>
        <span className="n ell">{note}</span>
        <div className="grow" />
        {ready && (
          <span className="tools">
            <Button
              kind="ghost"
              small
              icon="grip"
              title="Move with the arrow keys, or drag the head"
              onPointerDown={(event) => onGrab(event, chart)}
              onKeyDown={(event) => {
                const by = { ArrowLeft: -1, ArrowUp: -columns, ArrowRight: 1, ArrowDown: columns }[event.key];
                if (!by) return;
                event.preventDefault();
                event.stopPropagation();
                move(by);
              }}
            />
            <Button
              kind="ghost"
              small
              icon="expand"
              title={width === 1 ? "Make larger" : "Make smaller"}
              onClick={() => set({ width: width === 1 ? (Math.min(3, columns) as Width) : 1 })}
            />
            <Menu label={`Options of ${chart.title}`} items={items} />
          </span>
        )}
      </header>
      {ready && <Body {...{ chart, logY, clip, mean, table, setNote }} />}
      {ready && (
        <ResizeEdge title={chart.title} width={width} columns={columns} onResize={(wide) => set({ width: wide })} />
      )}
    </div>
  );
}

/** A card that stays this long is looked at. */
const LINGER = 90;

/** Becomes true when the card has been there for a moment: one that flies by is neither drawn nor asked for. */
function useLinger(atOnce: boolean): boolean {
  const [ready, setReady] = useState(atOnce);
  useEffect(() => {
    const timer = window.setTimeout(() => startTransition(() => setReady(true)), LINGER);
    return () => window.clearTimeout(timer);
  }, []);
  return ready;
}

/** A column of charts is never wider than this. */
const WIDEST = 640;

const WIDTHS: readonly (readonly [Width, string])[] = [
  [1, "One column"],
  [2, "Two columns"],
  [3, "Three columns"],
];

interface BodyProps {
  chart: Chart;
  logY: boolean;
  clip: boolean;
  mean: boolean;
  table: boolean;
  setNote: (note: string) => void;
}

function Body({ chart, logY, clip, mean, table, setNote }: BodyProps) {
  const { groups } = useStage();
  const [lines, setLines] = useState<readonly DrawnLine[]>([]);
  const onLines = useCallback((next: readonly DrawnLine[]) => setLines(next), []);
  if (chart.kind !== "line") {
    return (
      <Suspense fallback={<Loading rows={6} />}>
        <Picture chart={chart} table={table} onNote={setNote} />
      </Suspense>
    );
  }
  const keys = chart.columns.map(({ key }) => key);
  return (
    <>
      {table && (
        <Suspense>
          <LineTable lines={lines} name={chart.title} grouped={mean && groups.length > 0} />
        </Suspense>
      )}
      <div className={table ? "sr" : "plotbox"} aria-hidden={table}>
        <LineChart
          {...{ keys, logY, clip, mean }}
          name={chart.title}
          onLines={table ? onLines : undefined}
          onNote={setNote}
        />
      </div>
    </>
  );
}

/** The columns that a chart takes: what a person said, at most all. */
export const widthOf = (chart: Chart, options: Record<string, ChartOptions>, columns: number): Width =>
  Math.min(options[chart.id]?.width ?? usualWidth(chart.kind), columns) as Width;
