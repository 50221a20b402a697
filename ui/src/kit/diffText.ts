/** Differences of texts: reading git's, and making one of two texts. */

export interface DiffLine {
  kind: "add" | "del" | "same" | "hunk";
  text: string;
  before?: number;
  after?: number;
}

export interface FileDiff {
  name: string;
  added: number;
  removed: number;
  lines: DiffLine[];
}

/** Files of a unified difference; lines outside of any hunk are left out. */
export function parseDiff(text: string): FileDiff[] {
  const files: FileDiff[] = [];
  let file: FileDiff | undefined;
  let before = 0;
  let after = 0;
  let left = 0;
  for (const line of text.split("\n")) {
    const start = /^diff --git a\/(.*) b\/(.*)$/.exec(line);
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (start && left === 0) {
      file = { name: start[2]!, added: 0, removed: 0, lines: [] };
      files.push(file);
    } else if (hunk && left === 0) {
      if (!file) files.push((file = { name: "", added: 0, removed: 0, lines: [] }));
      [before, after] = [Number(hunk[1]), Number(hunk[3])];
      left = Number(hunk[2] ?? 1) + Number(hunk[4] ?? 1);
      file.lines.push({ kind: "hunk", text: line });
    } else if (file && left > 0) {
      if (line.startsWith("+")) {
        file.lines.push({ kind: "add", text: line.slice(1), after: after++ });
        file.added += 1;
        left -= 1;
      } else if (line.startsWith("-")) {
        file.lines.push({ kind: "del", text: line.slice(1), before: before++ });
        file.removed += 1;
        left -= 1;
      } else if (!line.startsWith("\\")) {
        file.lines.push({ kind: "same", text: line.slice(1), before: before++, after: after++ });
        left -= 2;
      }
    }
  }
  return files;
}

const CONTEXT = 3;

/** The difference of two texts by lines, with three lines around each change; empty when they are equal. */
export function diffTexts(name: string, one: string, two: string): FileDiff {
  const [a, b] = [one.split("\n"), two.split("\n")];
  const all = edits(a, b);
  const near = new Set<number>();
  all.forEach((line, i) => {
    if (line.kind !== "same") for (let j = i - CONTEXT; j <= i + CONTEXT; j++) near.add(j);
  });
  const lines: DiffLine[] = [];
  all.forEach((line, i) => {
    if (!near.has(i)) return;
    if (!near.has(i - 1)) lines.push({ kind: "hunk", text: `@@ -${line.before ?? ""} +${line.after ?? ""} @@` });
    lines.push(line);
  });
  return {
    name,
    lines,
    added: all.filter(({ kind }) => kind === "add").length,
    removed: all.filter(({ kind }) => kind === "del").length,
  };
}

/** The least number of lines to take out and put in (Myers, "An O(ND) Difference Algorithm", 1986). */
function edits(a: readonly string[], b: readonly string[]): DiffLine[] {
  const most = a.length + b.length;
  const reach = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  outer: for (let d = 0; d <= most; d++) {
    trace.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) break outer;
    }
  }
  const lines: DiffLine[] = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d >= 0; d--) {
    const held = trace[d]!;
    const k = x - y;
    const down = k === -d || (k !== d && (held.get(k - 1) ?? -1) < (held.get(k + 1) ?? -1));
    const previous = down ? k + 1 : k - 1;
    const fromX = held.get(previous) ?? 0;
    const fromY = fromX - previous;
    while (x > fromX && y > fromY && d >= 0 && x > 0 && y > 0 && a[x - 1] === b[y - 1]) {
      lines.push({ kind: "same", text: a[x - 1]!, before: x, after: y });
      x -= 1;
      y -= 1;
    }
    if (d === 0) break;
    if (down) lines.push({ kind: "add", text: b[y - 1]!, after: y });
    else lines.push({ kind: "del", text: a[x - 1]!, before: x });
    [x, y] = [fromX, fromY];
  }
  return lines.reverse();
}
