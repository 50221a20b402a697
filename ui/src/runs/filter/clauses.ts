import { tokenize } from "./tokens";

/** Each clause of a filter that is joined by AND alone, with the filter that is left without it. */
export function without(filter: string): { clause: string; rest: string }[] {
  const clauses: string[] = [];
  let begin = 0;
  let depth = 0;
  for (const token of tokenize(filter)) {
    if (token.text === "(") depth += 1;
    if (token.text === ")") depth -= 1;
    const joins = token.kind === "join" && depth === 0;
    if (joins && token.text.toLowerCase() === "or") return [{ clause: filter.trim(), rest: "" }];
    if (joins && token.text.toLowerCase() === "and" && !/\bbetween\s+\S+\s*$/i.test(filter.slice(begin, token.start))) {
      clauses.push(filter.slice(begin, token.start).trim());
      begin = token.end;
    }
  }
  clauses.push(filter.slice(begin).trim());
  return clauses
    .filter(Boolean)
    .map((clause, i, all) => ({ clause, rest: all.filter((_, at) => at !== i).join(" and ") }));
}
