/** What the client wrote about the machine and its packages. */

/** Name and version of each line of a requirements file; comments and empty lines apart. */
export function parseRequirements(text: string): [string, string][] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith("#"))
    .map((line): [string, string] => {
      const at = line.search(/==| @ /);
      return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at).replace(/^==| @ /, "")];
    });
}

/** The leaves of a JSON object with the path to each; nothing for what is none. */
export function flatten(text: string): [string, string][] {
  const rows: [string, string][] = [];
  const visit = (value: unknown, path: string) => {
    if (value !== null && typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) visit(inner, path ? `${path}.${key}` : key);
    } else if (value !== null && value !== "") rows.push([path, String(value)]);
  };
  try {
    visit(JSON.parse(text), "");
  } catch {
    return [];
  }
  return rows;
}
