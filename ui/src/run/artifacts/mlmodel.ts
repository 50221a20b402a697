/** What the page needs of an MLmodel file: flavors and signature. */

import type { Owner } from "./owner";

export interface Field {
  name: string;
  type: string;
  required: boolean;
  default?: string;
}

export interface MLmodel {
  flavors: string[];
  inputs: Field[] | null;
  outputs: Field[] | null;
  params: Field[] | null;
}

/**
 * Reads the file's outer lines. It is YAML as Stele and MLflow write it: two levels of keys, and the signature as JSON
 * in one line of text each. What does not look like that is not there.
 */
export function parseMLmodel(text: string): MLmodel {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | null = null;
  let key = "";
  for (const line of text.split("\n")) {
    const top = /^([\w-]+):(.*)$/.exec(line);
    const inner = /^ {2}([\w.-]+):(.*)$/.exec(line);
    if (top) {
      section = new Map();
      sections.set(top[1]!, section);
      key = "";
    } else if (inner && section) {
      key = inner[1]!;
      section.set(key, inner[2]!.trim());
    } else if (section && key && /^ {4,}/.test(line)) section.set(key, `${section.get(key)} ${line.trim()}`);
  }
  const signature = sections.get("signature");
  return {
    flavors: [...(sections.get("flavors")?.keys() ?? [])],
    inputs: fields(signature?.get("inputs")),
    outputs: fields(signature?.get("outputs")),
    params: fields(signature?.get("params")),
  };
}

/** The fields of a schema in JSON; null for what is none. */
export function fields(value: string | null | undefined): Field[] | null {
  try {
    const list: unknown = JSON.parse(unquoted(value ?? ""));
    return Array.isArray(list)
      ? list.map((one: Record<string, unknown>) => ({
          name: String(one.name ?? ""),
          type: typeName(one),
          required: one.required !== false,
          default: one.default === undefined || one.default === null ? undefined : JSON.stringify(one.default),
        }))
      : null;
  } catch {
    return null;
  }
}

function unquoted(text: string): string {
  if (text.startsWith("'") && text.endsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  return text.startsWith('"') && text.endsWith('"') ? (JSON.parse(text) as string) : text;
}

function typeName(one: Record<string, unknown>): string {
  const tensor = one["tensor-spec"] as { dtype?: string; shape?: number[] } | undefined;
  if (tensor) return `${tensor.dtype} (${(tensor.shape ?? []).join(", ")})`;
  const items = one.items as Record<string, unknown> | undefined;
  if (one.type === "array" && items) return `array of ${typeName(items)}`;
  return String(one.type ?? "");
}

const OWN = ["sklearn", "xgboost", "lightgbm", "pytorch", "onnx", "statsmodels"];

/** The lines of Python that load a model. */
export function loadCode({ flavors }: Pick<MLmodel, "flavors">, owner: Owner, folder: string): string {
  const uri = uriOf(owner, folder);
  const own = flavors.find((flavor) => OWN.includes(flavor));
  const lines = ["import stele", "", `model = stele.pyfunc.load_model("${uri}")`, "predictions = model.predict(data)"];
  if (own) lines.push("", "# The model of its own library:", `model = stele.${own}.load_model("${uri}")`);
  return lines.join("\n");
}

function uriOf(owner: Owner, folder: string): string {
  if ("run_id" in owner) return `runs:/${owner.run_id}/${folder}`;
  return "model_id" in owner ? `models:/${owner.model_id}` : `models:/${owner.model_name}/${owner.model_version}`;
}
