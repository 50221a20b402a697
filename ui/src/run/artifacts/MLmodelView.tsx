import { useMemo } from "react";
import { CopyButton } from "../../kit/controls";
import { Empty } from "../../kit/states";
import { CodeView } from "./CodeView";
import { loadCode, parseMLmodel, type Field } from "./mlmodel";
import type { Owner } from "./owner";

/** A model's signature, or the lines that load it. */
export function MLmodelView({ text, form, owner, path }: { text: string; form: string; owner: Owner; path: string }) {
  const model = useMemo(() => parseMLmodel(text), [text]);
  if (form === "load") {
    const folder = path.split("/").slice(0, -1).join("/");
    const code = loadCode(model, owner, folder);
    return (
      <>
        <div className="row end">
          <CopyButton text={code} label="Copy code" />
        </div>
        <CodeView text={code} path="load.py" />
      </>
    );
  }
  if (!model.inputs && !model.outputs)
    return (
      <Empty title="The model has no signature">
        <p>Log it with an input example, and the signature is taken from that.</p>
      </Empty>
    );
  return (
    <div className="scroll pad">
      <Signature inputs={model.inputs} outputs={model.outputs} params={model.params} />
    </div>
  );
}

/** What goes in and what comes out. */
export function Signature({
  inputs,
  outputs,
  params,
}: {
  inputs: Field[] | null;
  outputs: Field[] | null;
  params: Field[] | null;
}) {
  const parts = [
    ["Inputs", inputs],
    ["Outputs", outputs],
    ["Params", params],
  ] as const;
  return (
    <>
      {parts.map(([title, fields]) =>
        fields && fields.length > 0 ? (
          <table key={title} className="t signature">
            <caption>{title}</caption>
            <tbody>
              {fields.map((field, i) => (
                <tr key={i}>
                  <td className="mono">{field.name || "—"}</td>
                  <td className="mono mut">{field.type}</td>
                  <td className="dim">
                    {field.required ? "" : "optional"}
                    {field.default !== undefined && ` default ${field.default}`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : null,
      )}
    </>
  );
}
