import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { highlight, languageOf } from "./kinds";
import "../../styles/code.css";

const LINE = 20;

/** Text with line numbers; of a long one only the lines in sight are in the document. */
export function CodeView({ text, path }: { text: string; path: string }) {
  const lines = useMemo(() => text.replace(/\n$/, "").split("\n"), [text]);
  const language = languageOf(path);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE,
    overscan: 30,
  });
  const digits = String(lines.length).length;
  return (
    <div className="code scroll" ref={scroller} tabIndex={0} role="region" aria-label={path}>
      <div className="sizer" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => (
          <div key={index} className="line" style={{ top: start }}>
            <span className="ln-n" style={{ width: `${digits + 3}ch` }}>
              {index + 1}
            </span>
            {highlight(lines[index]!, language).map(([mark, piece], i) => (
              <span key={i} className={mark ? `c-${mark}` : undefined}>
                {piece}
              </span>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}
