/** The filter of the table of runs. */

import { memo, type Ref, useMemo } from "react";
import { count } from "../../format/figures";
import type { RunKey } from "../columns";
import {
  columnOf,
  nearest,
  proposeJoins,
  proposeKeys,
  proposeOperators,
  proposeValues,
  type Proposal,
} from "./complete";
import { AboutColumn } from "./Completion";
import { FilterField, useFilterText, type Hint } from "./FilterField";
import { recentFilters, RUN_FILTERS } from "./recent";
import { tokenize } from "./tokens";
import { useDescribedValues } from "./useDescribedValues";
import { fieldName } from "../view";

interface Props {
  experimentId: string;
  filter: string;
  /** How many runs there are, for "in 12,480 runs". */
  total: number;
  keys: readonly RunKey[];
  /** What the server says of the filter at hand. */
  error: unknown;
  onFilter: (filter: string) => void;
  ref?: Ref<HTMLInputElement>;
}

const runs = (many: number): string => `${count(many)} ${many === 1 ? "run" : "runs"}`;

export const FilterBar = memo(function FilterBar({ experimentId, filter, total, keys, error, onFilter, ref }: Props) {
  const field = useFilterText(filter, onFilter);
  const { text, open, context } = field;
  const described = useDescribedValues(
    experimentId,
    open && context.expects === "value" ? columnOf(context.key) : null,
  );
  const proposals = useMemo((): Proposal[] => {
    if (open === "recent")
      return recentFilters(RUN_FILTERS).map((one) => ({ text: one, group: "Recent filters", icon: "filter" }));
    if (open !== "completion") return [];
    switch (context.expects) {
      case "key":
        return proposeKeys(context.typed, keys, runs);
      case "operator":
        return proposeOperators(context, keys);
      case "value":
        return proposeValues(context, described?.common ?? [], runs);
      case "join":
        return proposeJoins(context);
    }
    // The context is new at each key stroke; these parts of it are what matters.
  }, [open, context.expects, context.typed, context.key, keys, described]);

  const hint = useMemo(() => unknownKey(text, keys, total), [text, keys, total]);
  return (
    <FilterField
      field={field}
      label="Filter"
      placeholder="Filter: metrics.loss < 0.5 and params.optimizer = 'sgd'"
      icon="filter"
      recent={RUN_FILTERS}
      proposals={proposals}
      about={(proposal) =>
        proposal?.column ? <AboutColumn experimentId={experimentId} column={proposal.column} /> : null
      }
      error={error}
      hint={hint}
      ref={ref}
    />
  );
});

/** A key of the filter that no run has, when another one is near. */
function unknownKey(text: string, keys: readonly RunKey[], total: number): Hint | null {
  if (keys.length === 0) return null;
  for (const token of tokenize(text)) {
    const column = token.kind === "key" ? columnOf(token.text) : null;
    if (!column || column.kind === "attribute") continue;
    const names = keys.filter((key) => key.kind === column.kind).map(({ name }) => name);
    if (names.includes(column.key)) continue;
    const meant = nearest(column.key, names);
    const says = (
      <>
        No run of {count(total)} has <code>{token.text}</code>.
      </>
    );
    if (meant) return { token, meant: fieldName({ kind: column.kind, key: meant }), says };
  }
  return null;
}
