/** The colour of a run: the same index everywhere and in both themes. */

const COLORS = 12;

/**
 * Index 1 to 12, from the run's id alone, so that no page and no server can disagree about it. Stele gives ids whose
 * last four digits take the colours in turn.
 */
export function runColor(runId: string): number {
  const tail = /[0-9a-f]{4}$/.exec(runId);
  return tail ? (parseInt(tail[0], 16) % COLORS) + 1 : hashed(runId);
}

function hashed(runId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < runId.length; i++) hash = Math.imul(hash ^ runId.charCodeAt(i), 0x01000193) >>> 0;
  // The last step of a better mixing: neighbouring ids must not get neighbouring colours.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return (((hash ^ (hash >>> 13)) >>> 0) % COLORS) + 1;
}

/** The colour as CSS. */
export const runColorVar = (runId: string): string => `var(--run-${runColor(runId)})`;
