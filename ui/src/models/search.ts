/** The search of the list of models: a part of a name, or a filter in the grammar of the registry. */

import { type Proposal, proposeJoins } from "../runs/filter/complete";
import { literal } from "../runs/filter/literal";
import { tokenize, type Context } from "../runs/filter/tokens";
import type { Model } from "./data";

const TIMES = ["creation_timestamp", "last_updated_timestamp"];
const ATTRIBUTES = ["name", ...TIMES];
const PREFIXED = /^(tags?|alias(?:es)?|attributes?)\./i;
const ALIAS = /^alias(?:es)?\./i;
const bare = (key: string): string => key.replace(/^attributes?\./i, "");
const isField = (key: string): boolean => PREFIXED.test(key) || [...ATTRIBUTES, "timestamp"].includes(key);

/** Whether a text compares something; what does not is a part of a name. */
export function isFilter(text: string): boolean {
  let key = "";
  if (PREFIXED.test(text.trim())) return true;
  for (const token of tokenize(text)) {
    if (token.kind === "key") key = token.text;
    // "models in production" is a name, "name in ('a')" is not.
    if (token.kind === "operator" && (/^\W/.test(token.text) || isField(key))) return true;
  }
  return false;
}

/** What the server is asked for. */
export function filterOf(text: string): string {
  const trimmed = text.trim();
  if (!trimmed || isFilter(trimmed)) return trimmed;
  return `name ILIKE ${literal(`%${trimmed}%`)}`;
}

export const ORDERS = {
  name: ["name ASC"],
  "-name": ["name DESC"],
  changed: ["last_updated_timestamp ASC"],
  "-changed": ["last_updated_timestamp DESC"],
} as const;
export type Order = keyof typeof ORDERS;

export const orderOf = (value: unknown): Order =>
  typeof value === "string" && Object.hasOwn(ORDERS, value) ? (value as Order) : "name";

/** The order after a press on a head: the natural one first, then the other way round. */
export function nextOrder(order: Order, head: "name" | "changed"): Order {
  if (head === "name") return order === "name" ? "-name" : "name";
  return order === "-changed" ? "changed" : "-changed";
}

const TEXT_OPERATORS = ["=", "!=", "like", "ilike", "rlike", "in", "is null", "is not null"];
const TIME_OPERATORS = [">", ">=", "<", "<=", "=", "!=", "between"];
const ALIAS_OPERATORS = ["is not null", "is null", ...TIME_OPERATORS];
const MOST = 50;

/** A key of a tag, or an alias, as a filter has it. */
const keyed = (prefix: "tags" | "aliases", key: string): string =>
  /^[\w.]+$/.test(key) ? `${prefix}.${key}` : `${prefix}.\`${key}\``;

/** How many models have each, the most frequent first. */
function counted(values: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, MOST);
}

const having = (many: number): string => `${many} ${many === 1 ? "model" : "models"}`;

/** What may stand at the caret, from the models at hand. */
export function proposeForModels(context: Context, models: readonly Model[]): Proposal[] {
  const typed = context.typed.toLowerCase();
  switch (context.expects) {
    case "key": {
      const names = ATTRIBUTES.filter((name) => name.startsWith(bare(typed)));
      const tags = counted(models.flatMap(({ tags: held }) => (held ?? []).map(({ key }) => keyed("tags", key))));
      const aliases = counted(
        models.flatMap(({ aliases: held }) => (held ?? []).map(({ alias }) => keyed("aliases", alias))),
      );
      const fitting = (found: [string, number][], group: string, icon: Proposal["icon"]) =>
        found
          .filter(([text]) => text.toLowerCase().includes(typed))
          .map(([text, many]): Proposal => ({ text, group, icon, note: having(many) }));
      return [
        ...names.map((text): Proposal => ({ text, group: "Attributes", icon: "doc" })),
        ...fitting(aliases, "Aliases", "tag"),
        ...fitting(tags, "Tags", "tag"),
      ];
    }
    case "operator": {
      if (!isField(context.key)) return [];
      return operatorsOf(context.key)
        .filter((text) => text.startsWith(typed))
        .map((text) => ({ text, group: "Operators", icon: "filter" }));
    }
    case "value": {
      const wanted = typed.replace(/^['"]|['"]$/g, "");
      return counted(valuesOf(context.key, models))
        .filter(([value]) => value.toLowerCase().includes(wanted))
        .map(([value, many]) => ({
          text: ALIAS.test(context.key) ? value : literal(value),
          group: "Values",
          icon: "abc",
          note: having(many),
        }));
    }
    case "join":
      return proposeJoins(context);
  }
}

function operatorsOf(key: string): readonly string[] {
  if (ALIAS.test(key)) return ALIAS_OPERATORS;
  return TIMES.includes(bare(key)) ? TIME_OPERATORS : TEXT_OPERATORS;
}

function valuesOf(key: string, models: readonly Model[]): string[] {
  if (bare(key) === "name") return models.map(({ name }) => name);
  const name = key.replace(PREFIXED, "").replace(/^[`"]|[`"]$/g, "");
  if (ALIAS.test(key))
    return models.flatMap(({ aliases }) =>
      (aliases ?? []).filter((one) => one.alias === name).map((one) => one.version),
    );
  if (!/^tags?\./i.test(key)) return [];
  return models.flatMap(({ tags }) => (tags ?? []).filter((tag) => tag.key === name).map(({ value }) => value ?? ""));
}
