import { expect, it } from "vitest";
import { isLog, joined, lastLines, logsOf, piecesOf } from "./logText";

it("shows lines as a terminal would in the end", () => {
  expect(lastLines("\u001b[31mred\u001b[0m\r\n10%\r50%\r100%\ndone\n", "")).toEqual(["red", "100%", "done"]);
  expect(lastLines("one\ntwo\nThree", "th")).toEqual(["Three"]);
});

it("knows logs by their names", () => {
  expect(["train.log", "logs/out.txt", "report.txt", "logs/picture.png"].map(isLog)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

const file = (path: string, file_size: number) => ({ path, file_size });

it("takes the parts of what was printed for one log, by their numbers", () => {
  const files = [
    file("logs/console/000010.log", 5),
    file("logs/console/1000000.log", 1),
    file("logs/console/000009.log", 7),
    file("logs/console/notes.txt", 2),
    file("model/MLmodel", 3),
    file("train.log", 9),
  ];
  expect(logsOf(files).map(({ name, size }) => [name, size])).toEqual([
    ["Console", 13],
    ["logs/console/notes.txt", 2],
    ["train.log", 9],
  ]);
  expect(logsOf(files)[0]!.files.map(({ path }) => path.slice(13, -4))).toEqual(["000009", "000010", "1000000"]);
  expect(logsOf([file("a.csv", 1)])).toEqual([]);
});

it("reads from the end as much as is wanted, and a part the same way whatever comes after it", () => {
  const sizes = (parts: number[], tail: number) => {
    const files = parts.map((size, i) => file(`logs/console/00000${i}.log`, size));
    return piecesOf(logsOf(files)[0]!, tail).map(({ path, bytes, written }) => [
      Number(path.slice(13, 19)),
      bytes,
      written,
    ]);
  };
  expect(sizes([40, 40, 40], 50)).toEqual([
    [1, 40, true],
    [2, 40, true],
  ]);
  expect(sizes([40, 40, 0, 10], 50)).toEqual([
    [1, 40, true],
    [3, 10, true],
  ]);
  expect(sizes([90, 50], 50)).toEqual([[1, 50, true]]);
  expect(sizes([90, 10], 50)).toEqual([
    [0, 50, true],
    [1, 10, true],
  ]);
  expect(piecesOf(logsOf([file("train.log", 90)])[0]!, 50)).toEqual([{ path: "train.log", bytes: 50, written: false }]);
});

it("joins what has arrived, without a gap", () => {
  expect(joined(["a", "b", "c"])).toBe("abc");
  expect(joined(["a", undefined, "c", "d"])).toBe("cd");
  expect(joined(["a", "b", undefined])).toBe("ab");
  expect(joined([undefined, "b", undefined])).toBe("b");
  expect(joined([undefined])).toBe("");
  expect(joined([])).toBe("");
  expect(lastLines(joined(["begun\n 10 %", "\r 90 %", "\nend"]), "")).toEqual(["begun", " 90 %", "end"]);
});
