/**
 * The rows of a list that are in the document: those in sight and a few on either side. All rows are of one height, so
 * nothing is measured or kept for each, and a million of them cost what ten do.
 */

import { startTransition, useCallback, useEffect, useLayoutEffect, useState, type RefObject } from "react";

interface Given {
  count: number;
  rowHeight: number;
  /** What stays in front of the rows at the upper and the lower edge, in pixels. */
  above: number;
  below: number;
  /** How many rows more on either side. */
  overscan: number;
}

export interface RowsInView {
  first: number;
  /** The row behind the last one. */
  end: number;
  onScroll: () => void;
  scrollToRow: (index: number) => void;
}

/** A guess at the height until the box is there, so that the first render has the rows already: what stands above it is less. */
const LEAST_ABOVE = 150;

export function useRowsInView(scroller: RefObject<HTMLElement | null>, given: Given): RowsInView {
  const { count, rowHeight, above, below, overscan } = given;
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(() => Math.max(0, innerHeight - LEAST_ABOVE));
  const [begun, setBegun] = useState(false);
  // The first rows are painted before those beside them are made.
  useEffect(() => startTransition(() => setBegun(true)), []);
  useLayoutEffect(() => {
    const box = scroller.current!;
    const measure = () => setHeight(box.clientHeight);
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(box);
    return () => watch.disconnect();
  }, [scroller]);

  const shown = Math.ceil(height / rowHeight) + 1;
  const atMost = Math.max(0, count - Math.max(0, Math.floor((height - above) / rowHeight)));
  const at = Math.min(Math.floor(top / rowHeight), atMost);
  const onScroll = useCallback(() => setTop(scroller.current!.scrollTop), [scroller]);
  const scrollToRow = useCallback(
    (index: number) => {
      const box = scroller.current;
      if (!box) return;
      const start = index * rowHeight;
      if (start < box.scrollTop) box.scrollTop = start;
      const most = start + rowHeight + above + below - box.clientHeight;
      if (most > box.scrollTop) box.scrollTop = most;
    },
    [scroller, rowHeight, above, below],
  );
  const beside = begun ? overscan : 0;
  return {
    first: Math.max(0, at - beside),
    end: Math.min(count, at + shown + beside),
    onScroll,
    scrollToRow,
  };
}
