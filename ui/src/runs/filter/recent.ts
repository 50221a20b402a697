/** Filters that this visitor used last, in this browser. */

const KEY = "stele.filters";
const MOST = 20;

export function recentFilters(): string[] {
  try {
    const held: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(held) ? held.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export function rememberFilter(filter: string): void {
  if (!filter.trim()) return;
  localStorage.setItem(
    KEY,
    JSON.stringify([filter, ...recentFilters().filter((one) => one !== filter)].slice(0, MOST)),
  );
}
