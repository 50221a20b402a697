"""The MLmodel file: read with care, written as MLflow writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stele.errors import DoesNotExist, InvalidParameterValue
from stele.models.format import Model, read_yaml
from stele.models.signature import infer_signature

WRITTEN = """\
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    model_path: model.skops
    predict_fn: predict
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.skops
    serialization_format: skops
    sklearn_version: 1.9.1
    skops_trusted_types: null
is_signature_from_type_hint: false
metadata:
  k: v
mlflow_version: 3.17.2
model_id: null
model_size_bytes: 10686
model_uuid: 76468d9898854aeab73da26f33af6a9e
prompts: null
saved_input_example_info:
  artifact_path: input_example.json
  pandas_orient: split
  serving_input_path: serving_input_example.json
  type: dataframe
signature:
  inputs: '[{"type": "double", "name": "a", "required": true}, {"type": "double",
    "name": "b", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: '[{"name": "cut", "default": 0.5, "shape": null, "type": "double"}, {"name":
    "names", "default": ["a"], "shape": [-1], "type": "string"}]'
type_hint_from_example: false
utc_time_created: '2026-11-21 11:31:27.624495'
"""
# What MLflow 3.17.2 wrote.


def test_what_mlflow_wrote_comes_back_letter_by_letter(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(WRITTEN)
    model = Model.read(tmp_path)
    assert model.to_yaml() == WRITTEN
    assert model.get_params_schema().params[0].default == 0.5
    model.save(tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == WRITTEN


def test_unknown_keys_are_kept_and_absent_ones_have_defaults(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {x: {a: 1}}\nnew_key: {b: [1]}\n")
    model = Model.read(tmp_path)
    assert model.to_dict()["new_key"] == {"b": [1]}
    assert (model.signature, model.run_id, model.get_input_schema()) == (None, None, None)
    assert len(model.model_uuid) == 32
    assert Model.from_dict(model.to_dict()) == model


def test_the_configuration_of_a_model_stays_out_of_tags() -> None:
    model = Model("models/m", "r").add_flavor("python_function", loader_module="x", config={"key": "secret"})
    assert model.get_tags_dict()["flavors"] == {"python_function": {"loader_module": "x"}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- 1",
        "a: [",
        "flavors: 1",
        "flavors: {a: 1}",
        "a: !!python/object/apply:os.system ['true']",
        "a: !!python/name:os.system ''",
        "flavors: {}\nsignature: {inputs: '['}",
        "flavors: {}\nsignature: 5",
        "a: " + "[" * 5_000,
        "a: " + "[" * 100 + "]" * 100,
        "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)),
        "a: &a [*a]",
    ],
)
def test_a_file_from_anywhere_is_a_model_or_a_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(InvalidParameterValue):
        Model.read(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(InvalidParameterValue):
        Model.read(tmp_path)


def test_large_files_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "MLmodel").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    with pytest.raises(InvalidParameterValue, match="at most"):
        Model.read(tmp_path)


def test_a_file_outside_of_the_model_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "secret").write_text("a: b")
    for name in ("../secret", str(tmp_path / "secret"), "%2e%2e/secret"):
        with pytest.raises(InvalidParameterValue):
            read_yaml(tmp_path / "model", name)
    (tmp_path / "model" / "MLmodel").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidParameterValue):
        Model.read(tmp_path / "model")
    with pytest.raises(DoesNotExist):
        Model.read(tmp_path)


def test_resources_become_a_mapping() -> None:
    class Endpoint:
        def to_dict(self) -> dict[str, list[dict[str, str]]]:
            return {"serving_endpoint": [{"name": "e"}]}

    model = Model(resources=[Endpoint(), Endpoint()], signature=infer_signature([1.0]))
    assert model.to_dict()["resources"] == {
        "api_version": "1",
        "databricks": {"serving_endpoint": [{"name": "e"}, {"name": "e"}]},
    }
