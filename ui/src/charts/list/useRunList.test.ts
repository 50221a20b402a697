import { describe, expect, it } from "vitest";
import { MOST } from "../board/settings";
import type { Row } from "../../runs/selection";
import { pickRows } from "./useRunList";

const row = (id: string) => ({ run_id: id }) as Row;
const ids = (rows: readonly Row[]) => rows.map((one) => one.run_id);

describe("the runs that are drawn", () => {
  it("are the first ones and those that were added, each once", () => {
    expect(ids(pickRows([row("a"), row("b")], [row("b"), row("c")], ["b", "c"], []))).toEqual(["a", "b", "c"]);
  });

  it("become fewer when one is hidden: no other one takes its place", () => {
    expect(ids(pickRows([row("a"), row("b")], [row("c")], ["c"], ["a", "c"]))).toEqual(["b"]);
  });

  it("leave out what is no longer wanted though its row is still there", () => {
    expect(ids(pickRows([row("a")], [row("c")], [], []))).toEqual(["a"]);
  });

  it("are no more than a chart takes", () => {
    const many = Array.from({ length: MOST + 9 }, (_, i) => row(`r${i}`));
    expect(pickRows(many, [], [], []).length).toBe(MOST);
  });
});
