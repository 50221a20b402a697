import { describe, expect, it } from "vitest";
import { runColor } from "./colors";
import { duration, exact, moment } from "./times";

const NOW = new Date(2026, 10, 21, 13, 2).getTime();

describe("times", () => {
  it("shows durations in two units", () => {
    expect(duration(820)).toBe("820 ms");
    expect(duration(38 * 60_000 + 4_000)).toBe("38 m 04 s");
    expect(duration((5 * 60 + 41) * 60_000)).toBe("5 h 41 m");
    expect(duration(50 * 3_600_000)).toBe("2 d 02 h");
  });

  it("is relative for a day", () => {
    expect(moment(NOW - 26 * 60_000, NOW)).toBe("26 min ago");
    expect(moment(NOW - 2 * 3_600_000, NOW)).toBe("2 h ago");
    expect(moment(NOW - 9 * 86_400_000, NOW)).toBe("12 Nov");
    expect(moment(new Date(2024, 0, 5).getTime(), NOW)).toBe("5 Jan 2024");
    expect(moment(0, NOW)).toBe("—");
  });

  it("has an exact form that reads back as the same time", () => {
    expect(new Date(exact(NOW)).getTime()).toBe(NOW);
    expect(exact(NOW)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/);
  });
});

describe("run colours", () => {
  it("are stable and spread over the palette", () => {
    expect(runColor("abc")).toBe(runColor("abc"));
    expect(["…00000000", "…00000001", "…0000000b", "…0000000c"].map(runColor)).toEqual([1, 2, 12, 1]);
    const seen = new Set(Array.from({ length: 200 }, (_, i) => runColor(`run${i}`)));
    expect([...seen].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });
});
