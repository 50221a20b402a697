import { expect, it } from "vitest";
import { flatten, parseRequirements } from "./environment";

it("reads requirements", () => {
  expect(parseRequirements("# made by stele\nnumpy==2.1.0\n\nmine @ git+https://x.org/mine\nodd")).toEqual([
    ["numpy", "2.1.0"],
    ["mine", "git+https://x.org/mine"],
    ["odd", ""],
  ]);
});

it("lists the leaves of an object", () => {
  expect(flatten('{"python":{"version":"3.11"},"gpus":["H100"],"none":null}')).toEqual([
    ["python.version", "3.11"],
    ["gpus.0", "H100"],
  ]);
  expect(flatten("no json")).toEqual([]);
});
