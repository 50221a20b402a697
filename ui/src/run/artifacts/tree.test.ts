import { expect, it } from "vitest";
import { buildTree, foldersOf, openLines, telling } from "./tree";

const entry = (path: string, file_size: number) => ({ path, file_size });
const ROOT = buildTree([
  entry("report.txt", 5),
  entry("model/MLmodel", 10),
  entry("model/data/x10.bin", 100),
  entry("model/data/x9.bin", 1),
]);

it("adds up folders and sorts them before files, numbers by their size", () => {
  expect([ROOT.size, ROOT.files]).toEqual([116, 4]);
  const lines = openLines(ROOT, new Set(["model", "model/data"])).map(({ node, depth }) => [
    depth,
    node.name,
    node.size,
    node.files,
  ]);
  expect(lines).toEqual([
    [0, "model", 111, 3],
    [1, "data", 101, 2],
    [2, "x9.bin", 1, 1],
    [2, "x10.bin", 100, 1],
    [1, "MLmodel", 10, 1],
    [0, "report.txt", 5, 1],
  ]);
});

it("shows only what is open", () => {
  expect(openLines(ROOT, new Set()).map(({ node }) => node.name)).toEqual(["model", "report.txt"]);
  expect(foldersOf("model/data/x9.bin")).toEqual(["model", "model/data"]);
  expect(foldersOf("report.txt")).toEqual([]);
});

it("knows which file tells most", () => {
  expect(telling([entry("environment/requirements.txt", 1), entry("a.txt", 1), entry("b.png", 1)])?.path).toBe("b.png");
  expect(telling([entry("b.png", 1), entry("model/MLmodel", 1)])?.path).toBe("model/MLmodel");
  expect(telling([entry("environment/requirements.txt", 1), entry("weights.bin", 1)])).toBeUndefined();
});
