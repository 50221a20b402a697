import { useState } from "react";
import { count } from "../format/figures";
import { CopyButton, Field } from "../kit/controls";
import { Facts, Packages, known } from "../kit/Facts";
import { Empty, Loading, Problem } from "../kit/states";
import { useText } from "./files";
import { flatten, parseRequirements } from "./environment";
import { TAGS, type RunData } from "./runData";

const MOST = 1_000_000;
const REQUIREMENTS = "environment/requirements.txt";

/** The machine and the packages that the run had. */
export default function EnvironmentTab({ data }: { data: RunData }) {
  const [search, setSearch] = useState("");
  const machine = useText(data.id, "environment/environment.json", MOST);
  const packages = useText(data.id, REQUIREMENTS, MOST);
  const facts = machine.data ? flatten(machine.data.text) : [];
  const listed = packages.data ? parseRequirements(packages.data.text) : [];
  const shown = listed.filter(([name]) => name.toLowerCase().includes(search.toLowerCase()));
  const tags = known([
    ["Python", data.tags.get(TAGS.python)],
    ["Host", data.tags.get(TAGS.host)],
    ["GPU", data.tags.get(TAGS.gpu)],
  ]);
  return (
    <div className="cards two">
      <section className="card" aria-label="Machine">
        <header>
          <h2>Machine</h2>
        </header>
        {machine.isPending ? <Loading /> : <Facts rows={facts.length > 0 ? facts : tags} />}
      </section>
      <section className="card" aria-label="Packages">
        <header>
          <h2>Packages</h2>
          <span className="n">{count(listed.length)}</span>
          <span className="grow" />
          <Field small icon="search" label="Search packages" placeholder="Search" value={search} onChange={setSearch} />
          {packages.data && <CopyButton text={packages.data.text} label="Copy all" />}
        </header>
        {packages.error ? (
          <Problem
            what="The packages could not be read"
            error={packages.error}
            onRetry={() => void packages.refetch()}
          />
        ) : packages.isPending ? (
          <Loading />
        ) : listed.length === 0 ? (
          <Empty title="No packages were recorded">
            <p>
              Stele’s client writes them to <code>{REQUIREMENTS}</code> some seconds after a run begins.
            </p>
          </Empty>
        ) : (
          <Packages rows={shown} />
        )}
      </section>
    </div>
  );
}
