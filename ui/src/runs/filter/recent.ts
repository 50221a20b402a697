/** Filters that this visitor used last, in this browser; those of runs and those of models apart. */

export const RUN_FILTERS = "stele.filters";
export const MODEL_FILTERS = "stele.filters.models";
const MOST = 20;

export function recentFilters(kind: string): string[] {
  try {
    const held: unknown = JSON.parse(localStorage.getItem(kind) ?? "[]");
    return Array.isArray(held) ? held.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export function rememberFilter(filter: string, kind: string): void {
  if (!filter.trim()) return;
  localStorage.setItem(
    kind,
    JSON.stringify([filter, ...recentFilters(kind).filter((one) => one !== filter)].slice(0, MOST)),
  );
}
