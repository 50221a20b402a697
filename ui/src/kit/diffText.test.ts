import { describe, expect, it } from "vitest";
import { diffTexts, parseDiff } from "./diffText";

/** Small texts made of few words, so that many lines are equal. */
function texts(seed: number): [string, string] {
  let state = seed;
  const next = (most: number) => (state = (state * 1103515245 + 12345) % 2147483648) % most;
  const one = () => Array.from({ length: next(9) }, () => "abc"[next(3)]!).join("\n");
  return [one(), one()];
}

describe("the difference of two texts", () => {
  it("makes the second of the first, and shows every change", () => {
    for (let seed = 1; seed < 300; seed++) {
      const [one, two] = texts(seed);
      const { lines } = diffTexts("x", one, two);
      const before = one.split("\n");
      const after = two.split("\n");
      for (const line of lines) {
        if (line.kind === "del" || line.kind === "same") expect(before[line.before! - 1]).toBe(line.text);
        if (line.kind === "add" || line.kind === "same") expect(after[line.after! - 1]).toBe(line.text);
      }
      const removed = new Set(lines.filter(({ kind }) => kind === "del").map((line) => line.before! - 1));
      const added = new Set(lines.filter(({ kind }) => kind === "add").map((line) => line.after! - 1));
      expect(before.filter((_, i) => !removed.has(i))).toEqual(after.filter((_, i) => !added.has(i)));
    }
  });

  it("takes as few lines as can be", () => {
    const { added, removed } = diffTexts("x", "a\nb\nc\na\nb\nb\na", "c\nb\na\nb\na\nc");
    expect(added + removed).toBe(5);
    expect(diffTexts("x", "same", "same").lines).toEqual([]);
  });
});

describe("git's differences", () => {
  it("are read with line numbers and counts", () => {
    const text = [
      "diff --git a/train.py b/train.py",
      "index 1..2 100644",
      "--- a/train.py",
      "+++ b/train.py",
      "@@ -1,3 +1,4 @@ def f():",
      " a",
      "-b",
      "+B",
      "+-- c",
      " d",
      "\\ No newline at end of file",
    ].join("\n");
    const [file] = parseDiff(text);
    expect(file).toMatchObject({ name: "train.py", added: 2, removed: 1 });
    expect(file!.lines.map(({ kind, before, after }) => [kind, before, after])).toEqual([
      ["hunk", undefined, undefined],
      ["same", 1, 1],
      ["del", 2, undefined],
      ["add", undefined, 2],
      ["add", undefined, 3],
      ["same", 3, 4],
    ]);
  });

  it("of several files are kept apart, and nonsense is empty", () => {
    const one = (name: string) => `diff --git a/${name} b/${name}\n@@ -1 +1 @@\n-x\n+y`;
    expect(parseDiff(`${one("a")}\n${one("b")}`).map(({ name }) => name)).toEqual(["a", "b"]);
    expect(parseDiff("no difference\n<script>")).toEqual([]);
  });
});
