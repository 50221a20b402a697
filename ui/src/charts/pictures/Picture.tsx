import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Loading, Problem } from "../../kit/states";
import type { Chart } from "../board/layout";
import { useStage, type Source } from "../board/stage";
import { columnsQuery, type Cell } from "../data/runs";
import { axisColumn } from "../math/columns";
import { Bars } from "./Bars";
import { Boxes } from "./Boxes";
import { strongest, type PictureData } from "./data";
import { HistogramPicture } from "./HistogramPicture";
import { Importance } from "./Importance";
import { Parallel } from "./Parallel";
import { PictureTable } from "./PictureTable";
import { Scatter } from "./Scatter";
import "./pictures.css";

interface PictureProps {
  chart: Chart;
  table: boolean;
  /** What stands beside the title. */
  onNote: (note: string) => void;
}

/** A picture of all runs of a view, by the columns that it was made of. */
export default function Picture({ chart, table, onNote }: PictureProps) {
  const { source } = useStage();
  if (!source) return <p className="nothing">This picture needs an experiment</p>;
  if (chart.kind === "importance")
    return <Importance target={chart.columns[0]} source={source} table={table} onNote={onNote} />;
  return <Columns {...{ chart, table, onNote, source }} />;
}

function Columns({ chart, table, onNote, source }: PictureProps & { source: Source }) {
  const { data, error, refetch } = useQuery(columnsQuery(source.experimentId, source.selection, chart.columns));
  const read = useMemo(
    (): PictureData | null =>
      data
        ? {
            runIds: data.run_ids,
            names: data.names,
            refs: chart.columns,
            columns: data.columns.map((cells) => axisColumn(cells as Cell[])),
            cells: data.columns as Cell[][],
            matched: data.matched,
          }
        : null,
    // The answer belongs to these columns: with others there is another one.
    [data],
  );
  if (error && !read)
    return <Problem what="The columns could not be read" error={error} onRetry={() => void refetch()} />;
  if (!read || read.columns.length !== chart.columns.length) return <Loading rows={6} />;
  if (read.runIds.length === 0) return <p className="nothing">No run matches</p>;
  if (table) return <PictureTable data={read} name={chart.title} />;
  const props = { data: read, onNote, name: chart.title };
  switch (chart.kind) {
    case "parallel":
      return <Parallel {...props} data={chart.own ? read : strongest(read)} source={source} />;
    case "scatter":
      return <Scatter {...props} />;
    case "contour":
      return <Scatter {...props} surface />;
    case "box":
      return <Boxes {...props} />;
    case "histogram":
      return <HistogramPicture {...props} />;
    default:
      return <Bars {...props} />;
  }
}
