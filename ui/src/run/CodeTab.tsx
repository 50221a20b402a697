import { Chip, CopyButton } from "../kit/controls";
import { Facts, known } from "../kit/Facts";
import { Diff } from "../kit/Diff";
import { Empty, Loading, Problem } from "../kit/states";
import { useText } from "./files";
import { TAGS, type RunData } from "./runData";

const DIFF_FILE = "environment/git.diff";
const MOST = 2_000_000;

/** The commit that ran, and what was changed since. */
export default function CodeTab({ data }: { data: RunData }) {
  const { tags, id } = data;
  const diff = useText(id, DIFF_FILE, MOST);
  const commit = tags.get(TAGS.commit);
  const rows = known([
    ["Commit", commit],
    ["Branch", tags.get(TAGS.branch)],
    ["Repository", tags.get(TAGS.repository)],
    ["Source", tags.get(TAGS.source)],
  ]);
  return (
    <div className="cards">
      <section className="card" aria-label="Commit">
        <header>
          <h2>Commit</h2>
          {tags.get(TAGS.dirty) === "true" && <Chip tone="warn">uncommitted changes</Chip>}
          <span className="grow" />
          {commit && <CopyButton text={`git checkout ${commit}`} label="Copy checkout" />}
        </header>
        {rows.length === 0 ? <p className="body dim">No source was recorded.</p> : <Facts rows={rows} />}
      </section>
      <section className="card" aria-label="Uncommitted changes">
        <header>
          <h2>Uncommitted changes</h2>
        </header>
        {diff.error ? (
          <Problem what="The changes could not be read" error={diff.error} onRetry={() => void diff.refetch()} />
        ) : diff.isPending ? (
          <Loading />
        ) : diff.data?.text ? (
          <>
            <Diff text={diff.data.text} />
            {diff.data.cut && <p className="more">The first 2 MB are shown; {DIFF_FILE} has all.</p>}
          </>
        ) : (
          <Empty
            title={
              tags.get(TAGS.dirty) === "true" ? "The changes were not kept" : "Nothing was changed since the commit"
            }
          />
        )}
      </section>
    </div>
  );
}
