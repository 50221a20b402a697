import { useEffect, useReducer, useRef } from "react";
import { BLOCK } from "./segments";

/** Rows of the table from one to another, both in it. */
export interface Range {
  first: number;
  last: number;
}

/** How far the table may go in one step to be followed at once, and how long it has to rest otherwise. */
const [NEAR, REST] = [2 * BLOCK, 60];

/** The range to ask for: the one in sight, unless it flies by because somebody drags the bar. */
export function useLanded(range: Range): Range {
  const landed = useRef(range);
  const [, render] = useReducer((times: number) => times + 1, 0);
  const near = Math.abs(range.first - landed.current.first) <= NEAR;
  if (near) landed.current = range;
  useEffect(() => {
    if (near) return;
    const timer = window.setTimeout(() => {
      landed.current = range;
      render();
    }, REST);
    return () => window.clearTimeout(timer);
  }, [range, near]);
  return landed.current;
}
