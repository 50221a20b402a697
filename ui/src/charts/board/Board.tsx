import { useVirtualizer } from "@tanstack/react-virtual";
import { lazy, Suspense, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { count } from "../../format/figures";
import { Button } from "../../kit/controls";
import { Empty } from "../../kit/states";
import { ask } from "../../shell/ask";
import { useSize } from "../line/useShown";
import { ChartCard, widthOf } from "./ChartCard";
import { addSection, layoutOf, rowsOf, type Chart, type Section } from "./layout";
import { SectionHead } from "./SectionHead";
import type { AddedChart } from "./settings";
import { useStage } from "./stage";
import { ToolBar } from "./ToolBar";
import { useChartDrag } from "./useChartDrag";
import "./board.css";

const ChartDialog = lazy(() => import("./ChartDialog"));

const [GAP, PADDING, LEAST, HEAD] = [12, 16, 300, 32];
const USUAL_HEIGHT = 250;
const TALL_HEIGHT = 400;

type Row = { section: Section; charts: Chart[] | null; height: number };

export interface BoardProps {
  /** Metrics, each of which is a chart. */
  keys: readonly string[];
  /** Charts that nobody has added but that are worth a look. */
  suggested?: readonly AddedChart[];
  /** Stands at the right end of the first section. */
  aside?: ReactNode;
}

/** All charts of a page in sections. Only rows on the screen exist, so it does not matter how many there are. */
export function Board({ keys, suggested, aside }: BoardProps) {
  const { settings, change, source } = useStage();
  const [box, size] = useSize<HTMLDivElement>();
  const [edited, setEdited] = useState<Chart | "new" | null>(null);
  // Without a table of runs there is nothing that pictures of params could show.
  const sections = useMemo(
    () => layoutOf(keys, source ? settings : { ...settings, added: [] }, suggested),
    [keys, settings, suggested, source],
  );
  const columns = Math.max(1, Math.floor((size.width - 2 * PADDING + GAP) / (LEAST + GAP)));
  const rows = useMemo(() => rowsIn(sections, settings.options, columns), [sections, settings.options, columns]);
  const { grabChart, grabSection, dropped } = useChartDrag(sections);
  const total = keys.length + (suggested?.length ?? 0) + settings.added.length;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (i) => rows[i]!.height,
    getItemKey: (i) => `${rows[i]!.section.name}\n${rows[i]!.charts?.[0]?.id ?? ""}`,
    overscan: 2,
    paddingStart: 4,
    paddingEnd: PADDING,
  });
  useLayoutEffect(() => virtual.measure(), [virtual, rows]);
  const edge = (virtual.scrollOffset ?? 0) + size.height;

  const newSection = async () => {
    const name = await ask({ title: "Add a section", label: "Name", value: "", action: "Add" });
    if (name) change((held) => addSection(sections, held, name));
  };

  return (
    <div className={dropped ? "board moving" : "board"} ref={box}>
      <ToolBar charts={total}>
        <Button icon="group" title="Add a section" onClick={() => void newSection()} />
        {source && <Button icon="plus" title="Add a chart" onClick={() => setEdited("new")} />}
      </ToolBar>
      <div className="scroll" ref={scroller} tabIndex={-1}>
        {rows.length === 0 && <NoCharts total={total} />}
        <div className="rows" style={{ height: virtual.getTotalSize() }}>
          {size.width > 0 &&
            virtual.getVirtualItems().map((item) => {
              const { section, charts } = rows[item.index]!;
              return (
                <div
                  key={item.key}
                  className={charts ? "crow" : "crow heading"}
                  style={{ top: item.start, height: item.size, ...(charts && gridOf(columns)) }}
                >
                  {charts ? (
                    charts.map((chart) => (
                      <ChartCard
                        key={chart.id}
                        {...{ chart, section, sections, columns }}
                        width={widthOf(chart, settings.options, columns)}
                        later={virtual.isScrolling || item.start > edge}
                        onEdit={setEdited}
                        onGrab={grabChart}
                      />
                    ))
                  ) : (
                    <SectionHead
                      section={section}
                      sections={sections}
                      aside={item.index === 0 ? aside : null}
                      onGrab={grabSection}
                    />
                  )}
                </div>
              );
            })}
        </div>
      </div>
      {dropped}
      {edited && source && (
        <Suspense>
          <ChartDialog
            chart={edited === "new" ? null : edited}
            sections={sections}
            source={source}
            onClose={() => setEdited(null)}
            onSave={(chart: AddedChart) => {
              change({ added: [...settings.added.filter(({ id }) => id !== chart.id), chart] });
              setEdited(null);
            }}
          />
        </Suspense>
      )}
    </div>
  );
}

const gridOf = (columns: number) => ({ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` });

function rowsIn(sections: readonly Section[], options: Parameters<typeof widthOf>[1], columns: number): Row[] {
  return sections.flatMap((section) => {
    const head: Row = { section, charts: null, height: HEAD };
    if (!section.open) return [head];
    const rows = rowsOf(section.charts, (chart) => widthOf(chart, options, columns), columns);
    const filled = rows.map((charts): Row => {
      const tall = charts.some((chart) => options[chart.id]?.width === 3);
      return { section, charts, height: (tall ? TALL_HEIGHT : USUAL_HEIGHT) + GAP };
    });
    return [head, ...filled];
  });
}

function NoCharts({ total }: { total: number }) {
  const { settings, change } = useStage();
  if (total === 0) {
    return (
      <Empty title="No metrics yet">
        <p>
          A chart appears here for each metric that a run logs: <code>stele.log_metric("loss", 0.1, step=1)</code>.
        </p>
      </Empty>
    );
  }
  return (
    <Empty title={settings.search ? `No chart matches ${settings.search}` : "All charts are removed"}>
      <p>
        <button
          type="button"
          className="lnk"
          onClick={() => change(settings.search ? { search: "" } : { removed: [] })}
        >
          {settings.search ? `Show all ${count(total)}` : "Bring them back"}
        </button>
      </p>
    </Empty>
  );
}
