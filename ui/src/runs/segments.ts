/**
 * The list that the table scrolls over, as segments: runs of one selection, or the header of a group with its runs
 * below when it is unfolded. Only the blocks of rows that are in sight are ever fetched.
 */

import type { Schemas } from "../api/client";
import type { Selection } from "./selection";

export type Group = Schemas["RunGroup"];

export interface RowsSegment {
  kind: "rows";
  selection: Selection;
  count: number;
}

export interface HeaderSegment {
  kind: "header";
  group: Group;
  id: string;
  folded: boolean;
  count: 1;
}

export type Segment = RowsSegment | HeaderSegment;

/** Rows of a selection that are fetched together. */
export interface Block {
  selection: Selection;
  offset: number;
}

export const BLOCK = 100;

/** Where each segment begins. */
export interface Layout {
  segments: Segment[];
  starts: number[];
  total: number;
}

export function layOut(segments: Segment[]): Layout {
  const starts: number[] = [];
  let total = 0;
  for (const segment of segments) {
    starts.push(total);
    total += segment.count;
  }
  return { segments, starts, total };
}

/** The segment that holds a place of the list, and the place inside it. */
export function locate(layout: Layout, index: number): { segment: Segment; offset: number } | null {
  if (index < 0 || index >= layout.total) return null;
  let low = 0;
  let high = layout.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (layout.starts[middle]! <= index) low = middle;
    else high = middle - 1;
  }
  // Empty segments begin where the next one does; the last of them is the one with rows, if any has.
  return { segment: layout.segments[low]!, offset: index - layout.starts[low]! };
}

/** The blocks that hold the places from `first` to `last`. */
export function blocksBetween(layout: Layout, first: number, last: number): Block[] {
  const blocks: Block[] = [];
  layout.segments.forEach((segment, i) => {
    const start = layout.starts[i]!;
    if (segment.kind !== "rows" || segment.count === 0 || start > last || start + segment.count <= first) return;
    const from = Math.max(0, first - start);
    const to = Math.min(segment.count - 1, last - start);
    for (let block = Math.floor(from / BLOCK); block <= Math.floor(to / BLOCK); block++) {
      blocks.push({ selection: segment.selection, offset: block * BLOCK });
    }
  });
  return blocks;
}

/** A group as text that is its identity in the address of a view. */
export const groupId = (group: Pick<Group, "key">): string => JSON.stringify(group.key);
