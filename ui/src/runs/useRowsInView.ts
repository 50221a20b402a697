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
  /** How many there are at most, wherever the list is. */
  most: number;
  onScroll: () => void;
  scrollToRow: (index: number) => void;
}

/** A guess at the height until the box is there, so that the first render has the rows already: what stands above it is less. */
const LEAST_ABOVE = 150;
/** How long the list has to rest, in milliseconds, until there are rows beside those in sight. */
const REST = 50;

export function useRowsInView(scroller: RefObject<HTMLElement | null>, given: Given): RowsInView {
  const { count, rowHeight, above, below, overscan } = given;
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(() => Math.max(0, innerHeight - LEAST_ABOVE));
  const [flying, setFlying] = useState(true);
  // Where all rows are new, those in sight are painted before those beside them are made.
  useEffect(() => {
    if (!flying) return;
    const timer = window.setTimeout(() => startTransition(() => setFlying(false)), REST);
    return () => window.clearTimeout(timer);
  }, [flying, top]);
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
  const onScroll = useCallback(() => {
    const box = scroller.current!;
    if (Math.abs(box.scrollTop - top) >= box.clientHeight) setFlying(true);
    setTop(box.scrollTop);
  }, [scroller, top]);
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
  const beside = flying ? 0 : overscan;
  return {
    first: Math.max(0, at - beside),
    end: Math.min(count, at + shown + beside),
    most: shown + 2 * overscan,
    onScroll,
    scrollToRow,
  };
}
