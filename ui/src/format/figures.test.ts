import { describe, expect, it } from "vitest";
import { bytes, count, decimalsFor, delta, metric, tick, toNumber } from "./figures";

describe("figures", () => {
  it("shows metrics with the decimals of their column", () => {
    expect(metric(0.80461, 4)).toBe("0.8046");
    expect(metric(-0.5, 4)).toBe("−0.5000");
    expect(metric(2841, 0)).toBe("2,841");
  });

  it("shows very small and large ones in scientific form", () => {
    expect(metric(5e-5)).toBe("5e-5");
    expect(metric(1.3e6)).toBe("1.3e6");
    expect(metric(-1.3e7, 2)).toBe("−1.3e7");
    expect(metric(0)).toBe("0.0000");
  });

  it("names what is not finite", () => {
    expect([NaN, Infinity, -Infinity].map((value) => metric(value))).toEqual(["NaN", "+Inf", "−Inf"]);
    expect(["NaN", "Infinity", "-Infinity"].map(toNumber)).toEqual([NaN, Infinity, -Infinity]);
    expect([null, "", "sgd"].map(toNumber)).toEqual([null, null, null]);
  });

  it("takes enough decimals to tell the closest two apart, and no more than six", () => {
    expect(decimalsFor([0.8046, 0.8137])).toBe(4);
    expect(decimalsFor([0.80461, 0.80462])).toBe(5);
    expect(decimalsFor([0.1, 0.1 + 1e-9])).toBe(6);
    expect(decimalsFor([1, 2, 3])).toBe(0);
    expect(decimalsFor([])).toBe(0);
    expect(decimalsFor([NaN, 0.5])).toBe(4);
  });

  it("gives differences a sign", () => {
    expect(delta(0.0234)).toBe("+0.0234");
    expect(delta(-0.0171)).toBe("−0.0171");
  });

  it("groups counts and shortens ticks", () => {
    expect([0, 999, 12480, -1_234_567].map(count)).toEqual(["0", "999", "12,480", "−1,234,567"]);
    expect(metric(12345.678, 2)).toBe("12,345.68");
    expect(tick(90000)).toBe("90k");
    expect(tick(0.25)).toBe("0.25");
  });

  it("has sizes in binary units with three digits", () => {
    expect([214, 1229, 102_550_211].map(bytes)).toEqual(["214 B", "1.20 KiB", "97.8 MiB"]);
  });
});
