import { useState } from "react";
import { count, MISSING } from "../format/figures";
import { CopyButton, Field, Switch } from "../kit/controls";
import type { RunData } from "./runData";

/** Params as they were logged; beside a baseline first those that differ. */
export function ParamsCard({ data, base }: { data: RunData; base: RunData | null }) {
  const [search, setSearch] = useState("");
  const [onlyDiffering, setOnly] = useState(true);
  const names = [...new Set([...data.params.keys(), ...(base?.params.keys() ?? [])])].sort();
  const differs = (name: string) => base !== null && base.params.get(name) !== data.params.get(name);
  const differing = names.filter(differs);
  // Beside a baseline a switch stands where the search was: nobody could clear it.
  const wanted = base ? "" : search.toLowerCase();
  const shown = (base && onlyDiffering ? differing : names).filter((name) => name.toLowerCase().includes(wanted));
  return (
    <section className="card params-card" aria-label="Params">
      <header>
        <h2>Params</h2>
        <span className="n">
          {base ? `${count(differing.length)} differ of ${count(names.length)}` : count(names.length)}
        </span>
        <span className="grow" />
        {base ? (
          <Switch on={onlyDiffering} onChange={setOnly}>
            Differs from {base.name}
          </Switch>
        ) : (
          <Field small icon="search" label="Search params" placeholder="Search" value={search} onChange={setSearch} />
        )}
      </header>
      <div className="scroll" tabIndex={0} role="region" aria-label="Params">
        {names.length === 0 && <p className="dim hint">No param is logged.</p>}
        <table className="t">
          <tbody>
            {shown.map((name) => (
              <tr key={name}>
                <td className="mono" title={name}>
                  {differs(name) && <i className="dot differs" />} {name}
                </td>
                <td className="mono num pv" title={data.params.get(name)}>
                  {differs(name) && <s>{base?.params.get(name) ?? MISSING}</s>} {data.params.get(name) ?? MISSING}
                </td>
                <td className="copy">
                  <CopyButton text={data.params.get(name) ?? ""} label={`Copy ${name}`} alone />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {base && onlyDiffering && names.length > differing.length && (
        <div className="more">
          <button type="button" className="lnk" onClick={() => setOnly(false)}>
            Show {count(names.length - differing.length)} equal
          </button>{" "}
          params with the baseline’s value
        </div>
      )}
    </section>
  );
}
