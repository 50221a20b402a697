import { useState } from "react";
import { CopyButton } from "../kit/controls";
import { OneFile } from "../kit/Diff";
import { diffTexts, parseDiff, type FileDiff } from "../kit/diffText";
import { RunDot } from "../kit/marks";
import { Empty, Loading } from "../kit/states";
import { useText } from "../run/files";
import { TAGS, type RunData } from "../run/runData";
import "../styles/code.css";

const DIFF_FILE = "environment/git.diff";
const MOST = 500_000;

/** How the code of one run differs from that of the baseline. */
export function CodePanel({ runs, baseline }: { runs: readonly RunData[]; baseline: number }) {
  const [chosen, setChosen] = useState("");
  const base = runs[baseline];
  const others = runs.filter((run) => run !== base);
  const other = others.find(({ id }) => id === chosen) ?? others[0];
  if (!base || !other) return null;
  return (
    <aside className="code-panel" aria-label="Code">
      <header>
        <b>Code</b>
        <span className="grow" />
        <Commit run={base} />
        <span className="dim">→</span>
        {others.length > 1 ? (
          <label className="field sm">
            <RunDot runId={other.id} />
            <select aria-label="Compared with" value={other.id} onChange={(event) => setChosen(event.target.value)}>
              {others.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        <Commit run={other} />
      </header>
      <Changes base={base} other={other} />
    </aside>
  );
}

function Commit({ run }: { run: RunData }) {
  const commit = run.tags.get(TAGS.commit);
  return (
    <span className="row">
      <RunDot runId={run.id} />
      <code>{commit ? commit.slice(0, 8) : "no commit"}</code>
    </span>
  );
}

function Changes({ base, other }: { base: RunData; other: RunData }) {
  const one = useText(base.id, DIFF_FILE, MOST);
  const two = useText(other.id, DIFF_FILE, MOST);
  const [from, to] = [base.tags.get(TAGS.commit), other.tags.get(TAGS.commit)];
  if (one.isPending || two.isPending) return <Loading />;
  const files = uncommittedDiffer(one.data?.text ?? "", two.data?.text ?? "");
  const sources = [base, other].map((run) => run.tags.get(TAGS.source) ?? "");
  return (
    <div className="scroll diff">
      {from && to && from !== to && (
        <div className="note">
          The commits differ. <CopyButton text={`git diff ${from} ${to}`} label="Copy git diff" />
        </div>
      )}
      {sources[0] !== sources[1] && (
        <div className="note">
          Another program ran: <code>{sources[0] || "unknown"}</code> → <code>{sources[1] || "unknown"}</code>
        </div>
      )}
      {files.length > 0 && <div className="note">Uncommitted changes that only one of them had, or had otherwise:</div>}
      {files.map((file, i) => (
        <OneFile key={file.name} file={file} open={i < 3} />
      ))}
      {files.length === 0 && from === to && sources[0] === sources[1] && (
        <Empty title={from ? "The same code" : "No source was recorded"} />
      )}
    </div>
  );
}

/** Of two sets of uncommitted changes, those that are not the same. */
function uncommittedDiffer(one: string, two: string): FileDiff[] {
  const byName = (text: string) =>
    new Map(
      parseDiff(text).map((file) => [
        file.name,
        file.lines
          .map(({ kind, text: line }) => `${{ add: "+", del: "-", same: " ", hunk: "" }[kind]}${line}`)
          .join("\n"),
      ]),
    );
  const [a, b] = [byName(one), byName(two)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .sort()
    .map((name) => diffTexts(name, a.get(name) ?? "", b.get(name) ?? ""))
    .filter(({ lines }) => lines.length > 0);
}
