import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { post } from "../api/client";
import { keys } from "../api/queries";
import { count, decimalsFor, toNumber } from "../format/figures";
import { Moment, RunDot, Status, Value } from "../kit/marks";
import { Empty, Loading, Problem } from "../kit/states";
import { Duration } from "../runs/Cell";
import { columnLabel, usualColumns } from "../runs/columns";
import { literal } from "../runs/filter/literal";
import { wireColumn } from "../runs/selection";
import { valueColumns } from "../runs/tableQueries";
import { useRunKeys } from "../runs/useTable";
import { columnId } from "../runs/view";
import { toRun } from "./links";
import { TAGS, type RunData } from "./runData";

const MOST = 500;

/** Runs that name this one as their parent. */
export default function ChildrenTab({ data }: { data: RunData }) {
  const { experimentId, id } = data;
  const filter = `tags.\`${TAGS.parent}\` = ${literal(id)}`;
  const columns = valueColumns(usualColumns(useRunKeys(experimentId).data ?? [])).filter(({ kind }) => kind !== "tag");
  const {
    data: answer,
    error,
    refetch,
  } = useQuery({
    queryKey: [...keys.runs(experimentId), "children", id, columns],
    queryFn: ({ signal }) =>
      post(
        "/api/2.0/stele/runs/table",
        {
          experiment_ids: [experimentId],
          filter,
          archived: "include",
          columns: columns.map(wireColumn),
          max_rows: MOST,
        },
        { signal },
      ),
  });
  if (error) return <Problem what="The children could not be read" error={error} onRetry={() => void refetch()} />;
  if (!answer) return <Loading />;
  if (answer.matched === 0)
    return (
      <Empty title="No run names this one as its parent">
        <p>
          Inside <code>with stele.start_run(nested=True):</code> runs become children of the active one.
        </p>
      </Empty>
    );
  const decimals = columns.map((_, i) =>
    decimalsFor(answer.rows.map(({ values }) => toNumber(values[i])).filter((one): one is number => one !== null)),
  );
  return (
    <div className="tw scrolls">
      <table className="t children">
        <thead>
          <tr>
            <th>Name</th>
            <th>Status</th>
            <th className="r">Started</th>
            <th className="r">Duration</th>
            {columns.map((column) => (
              <th key={columnId(column)} className={column.kind === "metric" ? "r" : ""} title={column.key}>
                {columnLabel(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {answer.rows.map((row) => (
            <tr key={row.run_id}>
              <td>
                <div className="name">
                  <RunDot runId={row.run_id} />
                  <Link {...toRun(experimentId, row.run_id)} title={row.name}>
                    {row.name}
                  </Link>
                </div>
              </td>
              <td>
                <Status status={row.status} />
              </td>
              <td className="num mut">
                <Moment time={row.start_time} />
              </td>
              <td className="num mut">
                <Duration row={row} />
              </td>
              {columns.map((column, i) =>
                column.kind === "metric" ? (
                  <td key={columnId(column)} className="num">
                    <Value value={toNumber(row.values[i])} decimals={decimals[i]} />
                  </td>
                ) : (
                  <td key={columnId(column)} title={String(row.values[i] ?? "")}>
                    {String(row.values[i] ?? "—")}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
      <div className="more">
        {count(answer.rows.length)} of {count(answer.matched)} children ·{" "}
        <Link to="/experiments/$experimentId" params={{ experimentId }} search={{ q: filter } as never} className="lnk">
          Open as a table
        </Link>
      </div>
    </div>
  );
}
