import { expect, it } from "vitest";
import { loadCode, parseMLmodel } from "./mlmodel";

const TEXT = `artifact_path: model
flavors:
  python_function:
    loader_module: stele.models
  sklearn:
    code: null
signature:
  inputs: '[{"type": "double", "name": "it''s", "required": true}, {"type": "long", "name": "b",
    "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 10]}}]'
  params: null
`;

it("reads flavors and the signature, over broken lines too", () => {
  expect(parseMLmodel(TEXT)).toEqual({
    flavors: ["python_function", "sklearn"],
    inputs: [
      { name: "it's", type: "double", required: true, default: undefined },
      { name: "b", type: "long", required: false, default: undefined },
    ],
    outputs: [{ name: "", type: "float64 (-1, 10)", required: true, default: undefined }],
    params: null,
  });
});

it("finds nothing in what is no MLmodel", () => {
  expect(parseMLmodel("<script>alert(1)</script>")).toEqual({ flavors: [], inputs: null, outputs: null, params: null });
});

it("writes the lines that load it", () => {
  expect(loadCode(parseMLmodel(TEXT), { run_id: "r1" }, "model")).toContain(
    'stele.sklearn.load_model("runs:/r1/model")',
  );
  expect(loadCode({ flavors: [] }, { model_name: "m", model_version: "3" }, "")).toContain('"models:/m/3"');
});
