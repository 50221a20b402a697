import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { MISSING } from "../../format/figures";
import { columnId } from "../../runs/view";
import type { PictureData } from "./data";

const ROW = 28;

/** The figures behind a picture, row by row. */
export function PictureTable({ data, name }: { data: PictureData; name: string }) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: data.runIds.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 6,
  });
  const shown = virtual.getVirtualItems();
  return (
    <div ref={box} className="figures" tabIndex={0} role="region" aria-label={`Figures of ${name}`}>
      <table className="t" aria-rowcount={data.runIds.length + 1}>
        <thead>
          <tr>
            <th>Run</th>
            {data.refs.map((column) => (
              <th key={columnId(column)} className="r">
                {column.key}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr style={{ height: shown[0]?.start ?? 0 }} aria-hidden="true" />
          {shown.map(({ index }) => (
            <tr key={data.runIds[index]} aria-rowindex={index + 2}>
              <td>{data.names[index]}</td>
              {data.cells.map((column, i) => (
                <td key={i} className="num">
                  {column[index] ?? MISSING}
                </td>
              ))}
            </tr>
          ))}
          <tr style={{ height: virtual.getTotalSize() - (shown[shown.length - 1]?.end ?? 0) }} aria-hidden="true" />
        </tbody>
      </table>
    </div>
  );
}
