/** Keys of metrics: into sections by prefix, and found by pattern. */

import { inNaturalOrder } from "../../format/order";

export const PLAIN = "Metrics";
const SYSTEM = "system";

/** `val/loss` belongs to `val`; a key without a slash to the plain section. */
export function sectionOf(key: string): string {
  const slash = key.indexOf("/");
  return slash > 0 ? key.slice(0, slash) : PLAIN;
}

/** Sections by name, the plain one first and metrics of the machine last; keys by name, numbers in them by size. */
export function sectionsOf(keys: readonly string[]): { name: string; keys: string[] }[] {
  const found = new Map<string, string[]>();
  for (const key of keys) {
    const name = sectionOf(key);
    const held = found.get(name);
    if (held) held.push(key);
    else found.set(name, [key]);
  }
  const place = (name: string) => (name === PLAIN ? 0 : name === SYSTEM ? 2 : 1);
  const sections = [...found].map(([name, held]) => ({ name, keys: inNaturalOrder(held, (key) => key) }));
  return inNaturalOrder(sections, ({ name }) => name).sort((a, b) => place(a.name) - place(b.name));
}

/** What a pattern finds. One that is no regular expression is looked for as it stands, and `error` says why. */
export function matcher(pattern: string): { matches: (text: string) => boolean; error: string } {
  if (pattern === "") return { matches: () => true, error: "" };
  try {
    const expression = new RegExp(pattern, "i");
    return { matches: (text) => expression.test(text), error: "" };
  } catch (problem) {
    const plain = pattern.toLowerCase();
    const why = problem instanceof Error ? problem.message.replace(/^Invalid regular expression: /, "") : "";
    return {
      matches: (text) => text.toLowerCase().includes(plain),
      error: `No regular expression (${why}); taken as text`,
    };
  }
}
