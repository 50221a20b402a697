/** Grows the forest away from the page, which goes on meanwhile. */

import { importance } from "../math/forest";

export interface ForestTask {
  columns: Float64Array[];
  target: Float64Array;
}

addEventListener("message", ({ data: { columns, target } }: MessageEvent<ForestTask>) => {
  postMessage(importance(columns, target));
});
