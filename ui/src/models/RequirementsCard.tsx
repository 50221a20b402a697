import { useState } from "react";
import { CopyButton, Switch } from "../kit/controls";
import { Packages } from "../kit/Facts";
import { Empty, Loading, Problem } from "../kit/states";
import type { Owner } from "../run/artifacts/owner";
import { parseRequirements } from "../run/environment";
import { useShortcuts } from "../shell/shortcuts";
import { ChangeMark, Was } from "./Changed";
import { useModelFile } from "./data";
import { differText, requirementDifferences, type Difference, type Requirement } from "./differences";

const FILE = "requirements.txt";

/** What has to be installed; beside another version what of that has changed. */
export function RequirementsCard({ owner, other, vs }: { owner: Owner; other: Owner | null; vs: string }) {
  const [onlyDiffering, setOnly] = useState(false);
  const { data, isPending } = useModelFile(owner, FILE);
  const theirs = useModelFile(other, FILE);
  const lines = data ? parseRequirements(data.text) : [];
  const rows = other && data && theirs.data ? requirementDifferences(lines, parseRequirements(theirs.data.text)) : null;
  useShortcuts(rows ? [{ keys: "d", does: "Only what differs", run: () => setOnly(!onlyDiffering) }] : []);
  return (
    <section className="card requirements-card" aria-label="Requirements">
      <header>
        <h2>Requirements</h2>
        {rows && <span className="n">{differText(rows)}</span>}
        <span className="grow" />
        {rows && (
          <Switch on={onlyDiffering} onChange={setOnly}>
            Only what differs
          </Switch>
        )}
        {data && <CopyButton text={data.text} alone={rows !== null} />}
      </header>
      {other && theirs.error && (
        <Problem what={`The requirements of version ${vs} could not be read`} error={theirs.error} />
      )}
      {isPending ? (
        <Loading />
      ) : rows && rows.length > 0 ? (
        <Differences rows={onlyDiffering ? rows.filter(({ change }) => change !== "same") : rows} />
      ) : lines.length === 0 ? (
        <Empty title="None are listed" />
      ) : (
        <Packages rows={lines} />
      )}
    </section>
  );
}

function Differences({ rows }: { rows: Difference<Requirement>[] }) {
  if (rows.length === 0) return <Empty title="All are the same" />;
  return (
    <table className="t requirements">
      <tbody>
        {rows.map(({ name, change, mine, other }) => (
          <tr key={name} className={change}>
            <td className="mono" title={name}>
              {name}
            </td>
            <td className="mono num">
              <Was mine={mine?.version} other={other?.version} />
            </td>
            <td className="r">
              <ChangeMark change={change} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
