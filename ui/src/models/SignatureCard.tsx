import { Empty, Loading, Problem } from "../kit/states";
import { parseMLmodel, type Field, type MLmodel } from "../run/artifacts/mlmodel";
import { Signature } from "../run/artifacts/MLmodelView";
import type { Owner } from "../run/artifacts/owner";
import { ChangeMark, Was } from "./Changed";
import { differText, fieldDifferences, type Difference } from "./differences";
import { useModelFile } from "./data";

/** What goes in and comes out; beside another version what of that has changed. */
export function SignatureCard({ owner, other, vs }: { owner: Owner; other: Owner | null; vs: string }) {
  const { data, error, isPending } = useModelFile(owner, "MLmodel");
  const theirs = useModelFile(other, "MLmodel");
  const model = data ? parseMLmodel(data.text) : null;
  const base = theirs.data ? parseMLmodel(theirs.data.text) : null;
  const parts = model && base ? partsOf(model, base) : null;
  return (
    <section className="card" aria-label="Signature">
      <header>
        <h2>Signature</h2>
        {model && <span className="n">{model.flavors.join(", ")}</span>}
        <span className="grow" />
        {parts && <span className="n">{differText(parts.flatMap(({ rows }) => rows))}</span>}
      </header>
      {other && theirs.error && (
        <Problem what={`The signature of version ${vs} could not be read`} error={theirs.error} />
      )}
      {error ? (
        <Problem what="The MLmodel file could not be read" error={error} />
      ) : isPending ? (
        <Loading />
      ) : parts && parts.length > 0 ? (
        <div className="body">
          {parts.map(({ title, rows }) => (
            <Part key={title} title={title} rows={rows} />
          ))}
        </div>
      ) : model && (model.inputs || model.outputs) ? (
        <div className="body">
          <Signature inputs={model.inputs} outputs={model.outputs} params={model.params} />
        </div>
      ) : (
        <Empty title="The model has no signature" />
      )}
    </section>
  );
}

const PARTS = [
  ["Inputs", "inputs"],
  ["Outputs", "outputs"],
  ["Params", "params"],
] as const;

const partsOf = (model: MLmodel, base: MLmodel) =>
  PARTS.map(([title, key]) => ({ title, rows: fieldDifferences(model[key], base[key]) })).filter(
    ({ rows }) => rows.length > 0,
  );

/** What else is said of a field; whether it is required only where `spelled` or where it is not. */
const noteOf = ({ required, default: value }: Field, spelled: boolean): string =>
  [required ? spelled && "required" : "optional", value !== undefined && `default ${value}`].filter(Boolean).join(", ");

function Part({ title, rows }: { title: string; rows: Difference<Field>[] }) {
  return (
    <table className="t signature">
      <caption>{title}</caption>
      <tbody>
        {rows.map(({ name, change, mine, other }, i) => {
          const spelled = mine !== null && other !== null && mine.required !== other.required;
          return (
            <tr key={i} className={change}>
              <td className="mono" title={name}>
                {name || "—"}
              </td>
              <td className="mono mut">
                <Was mine={mine?.type} other={other?.type} />
              </td>
              <td className="dim">
                <Was
                  mine={mine ? noteOf(mine, spelled) : undefined}
                  other={other ? noteOf(other, spelled) : undefined}
                />
              </td>
              <td className="r">
                <ChangeMark change={change} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
