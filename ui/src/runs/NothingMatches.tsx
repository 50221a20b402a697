import { useQueries } from "@tanstack/react-query";
import { post } from "../api/client";
import { keys } from "../api/queries";
import { count } from "../format/figures";
import { Button } from "../kit/controls";
import { Empty } from "../kit/states";
import { without } from "./filter/clauses";
import type { Selection } from "./selection";

/** The filter is too narrow: what each clause alone costs, and one press to drop it. */
export function NothingMatches({
  experimentId,
  selection,
  total,
  onFilter,
}: {
  experimentId: string;
  selection: Selection;
  total: number;
  onFilter: (filter: string) => void;
}) {
  const clauses = without(selection.filter ?? "");
  const answers = useQueries({
    queries: clauses.map(({ rest }) => ({
      queryKey: [...keys.runs(experimentId), "count", { ...selection, filter: rest }],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        post("/api/2.0/stele/runs/table", { ...selection, filter: rest, max_rows: 0 }, { signal }),
    })),
  });
  return (
    <Empty title={`0 of ${count(total)} runs match`}>
      <p>{clauses.length > 1 ? "Without one clause there would be:" : "Without the filter there would be:"}</p>
      {clauses.map(({ clause, rest }, i) => (
        <div key={clause} className="row">
          <code className="ell">{clause}</code>
          <span className="grow" />
          <span>{answers[i]?.data ? count(answers[i].data.matched) : "…"}</span>
          <Button small onClick={() => onFilter(rest)}>
            Remove
          </Button>
        </div>
      ))}
    </Empty>
  );
}
