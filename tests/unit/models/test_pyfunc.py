"""Code of one's own as a model: objects, functions, scripts and loader modules."""

from __future__ import annotations

import pickletools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest

import stele as mlflow
from stele.errors import AlreadyExists, DoesNotExist, InvalidParameterValue, NotImplementedHere
from stele.models.format import Model
from stele.pyfunc import PythonModel, get_model_dependencies, load_model, save_model

pytestmark = pytest.mark.filterwarnings("ignore:Loading:UserWarning")


class Scaled(PythonModel):
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def load_context(self, context: Any) -> None:
        self.offset = float(Path(context.artifacts["offset"]).read_text())

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return model_input["x"] * self.factor + self.offset + context.model_config["more"] + params["plus"]


class Shout(PythonModel):
    def predict(self, model_input: list[str], params: dict[str, Any] | None = None) -> list[str]:
        return [each.upper() for each in model_input]

    def predict_stream(self, context: Any, model_input: Any, params: Any = None) -> Any:
        yield from model_input[0]


class Point(pydantic.BaseModel):
    x: int
    y: int = 0


def total(model_input: list[Point]) -> list[int]:
    return [each.x + each.y for each in model_input]


FRAME = pd.DataFrame({"x": [1.0, 2.0]})


@pytest.fixture
def offset(tmp_path: Path) -> Path:
    (tmp_path / "offset.txt").write_text("100")
    return tmp_path / "offset.txt"


def test_an_object_with_everything(tmp_path: Path, offset: Path) -> None:
    save_model(
        tmp_path / "m",
        python_model=Scaled(2.0),
        artifacts={"offset": str(offset)},
        model_config={"more": 1000},
        input_example=(FRAME, {"plus": 0.5}),
        metadata={"owner": "risk"},
    )
    model = load_model(str(tmp_path / "m"))
    assert model.predict(FRAME).tolist() == [1102.5, 1104.5]
    assert model.predict(pd.DataFrame({"x": [1]}), params={"plus": 1}).tolist() == [1103.0]
    assert load_model(str(tmp_path / "m"), model_config={"more": 0}).predict(FRAME).tolist() == [102.5, 104.5]
    assert model.unwrap_python_model().factor == 2.0
    assert (model.metadata.metadata, model.model_config) == ({"owner": "risk"}, {"more": 1000})
    assert repr(model.metadata.signature.outputs) == "['x': double (required)]"
    assert model.input_example.equals(FRAME)
    assert "mlflow.pyfunc.model" in repr(model)
    assert get_model_dependencies(str(tmp_path / "m")).endswith("requirements.txt")


def test_the_object_that_was_saved_is_left_as_it_was(tmp_path: Path, offset: Path) -> None:
    model = Scaled(2.0)
    save_model(
        tmp_path / "m",
        python_model=model,
        artifacts={"offset": str(offset)},
        model_config={"more": 0},
        input_example=(FRAME, {"plus": 0}),
    )
    assert vars(model) == {"factor": 2.0}


def test_hints_are_the_signature_and_are_checked(tmp_path: Path) -> None:
    save_model(tmp_path / "shout", python_model=Shout())
    model = load_model(str(tmp_path / "shout"))
    assert model.metadata.is_signature_from_type_hint
    assert model.predict(["a", "b"]) == model.predict(pd.DataFrame({"t": ["a", "b"]})) == ["A", "B"]
    assert list(model.predict_stream(["xy"])) == ["x", "y"]
    for data, message in (([1], "item 0 is 1, a int"), ("a", "Pass a list"), (["a", None], "item 1 is None")):
        with pytest.raises(InvalidParameterValue, match=message):
            model.predict(data)


def test_a_function_gets_objects_that_its_hint_names(tmp_path: Path) -> None:
    save_model(tmp_path / "m", python_model=total)
    model = load_model(str(tmp_path / "m"))
    assert model.predict([{"x": 1}, Point(x=1, y=5)]) == [1, 6]
    assert model.predict(pd.DataFrame({"x": [3], "y": [4]})) == [7]
    with pytest.raises(InvalidParameterValue, match="item 0"):
        model.predict([{"y": 1}])


def test_a_hint_that_says_nothing_is_said_aloud(tmp_path: Path) -> None:
    def anything(model_input: list) -> list:
        return model_input

    with pytest.warns(UserWarning, match="make no signature"):
        save_model(tmp_path / "m", python_model=anything)
    assert load_model(str(tmp_path / "m")).predict([1, "a"]) == [1, "a"]


def test_a_model_that_fails_with_its_example_is_saved_and_says_so(tmp_path: Path) -> None:
    def fails(data):
        raise RuntimeError("no luck")

    with pytest.warns(UserWarning, match="no outputs, because the model failed.*no luck"):
        save_model(tmp_path / "m", python_model=fails, input_example=FRAME)
    signature = Model.read(tmp_path / "m").signature
    assert (signature.inputs is not None, signature.outputs) == (True, None)


def test_pickles_name_mlflow_and_not_stele(tmp_path: Path) -> None:
    class Told(mlflow.pyfunc.PythonModel):
        def predict(self, context: mlflow.pyfunc.PythonModelContext, model_input: Any) -> str:
            return mlflow.pyfunc.__name__

    save_model(tmp_path / "m", python_model=Told())
    pickle = (tmp_path / "m" / "python_model.pkl").read_bytes()
    texts = [argument for _, argument, _ in pickletools.genops(pickle) if isinstance(argument, str)]
    assert "mlflow" in texts
    assert not [text for text in texts if text == "stele" or text.startswith("stele.")]
    assert load_model(str(tmp_path / "m")).predict(None) == "mlflow.pyfunc"
    assert isinstance(load_model(str(tmp_path / "m")).unwrap_python_model(), PythonModel)


SCRIPT = """
import mlflow
from mlflow.models import ModelConfig, set_model

config = ModelConfig(development_config={"k": 1})

class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[int]) -> list[int]:
        return [each * config.get("k") for each in model_input]

set_model(Model())
"""


def test_a_script_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(SCRIPT)
    save_model(tmp_path / "m", python_model=str(tmp_path / "model.py"), model_config={"k": 3})
    assert (tmp_path / "m" / "model.py").read_text() == SCRIPT
    assert load_model(str(tmp_path / "m")).predict([1, 2]) == [3, 6]
    assert load_model(str(tmp_path / "m"), model_config={"k": 5}).predict([1]) == [5]
    assert Model.read(tmp_path / "m").flavors["python_function"]["loader_module"] == "mlflow.pyfunc.loaders.code_model"


def test_a_script_that_hands_nothing_over(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("x = 1\n")
    with pytest.raises(InvalidParameterValue, match="set_model"):
        save_model(tmp_path / "m", python_model=str(tmp_path / "model.py"))
    with pytest.raises(DoesNotExist, match="no script"):
        save_model(tmp_path / "m", python_model="nothing.py")


def loader(directory: Path, name: str, factor: int) -> Path:
    (directory / f"{name}.py").write_text(
        "import pathlib\nimport helper_of_loader\n"
        "class Model:\n"
        "    def __init__(self, path): self.number = int(pathlib.Path(path).read_text())\n"
        f"    def predict(self, data): return [each * self.number * {factor} * helper_of_loader.K for each in data]\n"
        "def _load_pyfunc(path): return Model(path)\n"
    )
    return directory / f"{name}.py"


def test_an_own_loader_finds_its_data_and_modules(tmp_path: Path) -> None:
    (tmp_path / "number.txt").write_text("7")
    for k in (1, 10):
        place = tmp_path / str(k)
        place.mkdir()
        (place / "helper_of_loader.py").write_text(f"K = {k}\n")
        paths = [str(loader(place, "own_loader_of_test", 2)), str(place / "helper_of_loader.py")]
        save_model(place / "m", loader_module="own_loader_of_test", data_path=tmp_path / "number.txt", code_paths=paths)
    # Each gets the modules that came with it, though they have the same names.
    first, second = (load_model(str(tmp_path / str(k) / "m")) for k in (1, 10))
    assert (first.predict([1]), second.predict([1])) == ([14], [140])


def test_modules_of_the_program_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "module_beside.py").write_text("def predict(data): return len(data)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "train.py"), raising=False)
    import module_beside

    save_model(tmp_path / "m", python_model=module_beside.predict, infer_code_paths=True)
    assert (tmp_path / "m" / "code" / "module_beside.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either python_model, or loader_module"),
        ({"python_model": 5}, "must be a PythonModel"),
        ({"python_model": Shout}, "is a class; pass an object"),
        ({"python_model": lambda a, b: a}, "exactly one argument"),
        ({"python_model": Shout(), "loader_module": "x"}, "either"),
        ({"python_model": Shout(), "signature": 5}, "signature is 5"),
        ({"python_model": Shout(), "code_paths": "x.py"}, "must be a list"),
        ({"python_model": Shout(), "conda_env": {}, "pip_requirements": ["a"]}, "excludes"),
        ({"loader_module": "x", "artifacts": {"a": "b"}}, "artifacts belong"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is_left(tmp_path: Path, arguments: Any, message: str) -> None:
    with pytest.raises(InvalidParameterValue, match=message):
        save_model(tmp_path / "place" / "m", **arguments)
    assert not list((tmp_path / "place").glob("*"))


def test_missing_files_are_named(tmp_path: Path) -> None:
    for arguments in ({"artifacts": {"a": "nothing.txt"}}, {"code_paths": ["nothing.py"]}):
        with pytest.raises(DoesNotExist, match="nothing"):
            save_model(tmp_path / "m", python_model=Shout(), **arguments)
    with pytest.raises(DoesNotExist):
        load_model(str(tmp_path / "nowhere"))


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    save_model(tmp_path / "m", python_model=Shout())  # an empty directory may be there
    before = (tmp_path / "m" / "MLmodel").read_text()
    with pytest.raises(AlreadyExists):
        save_model(tmp_path / "m", python_model=Shout())
    assert (tmp_path / "m" / "MLmodel").read_text() == before


def test_what_cannot_be_pickled_says_what_to_do(tmp_path: Path) -> None:
    model = Shout()
    model.file = (tmp_path / "x").open("w")
    with pytest.raises(InvalidParameterValue, match="load_context"):
        save_model(tmp_path / "m", python_model=model)
    model.file.close()


def test_what_a_model_does_not_do(tmp_path: Path) -> None:
    save_model(tmp_path / "m", python_model=total)
    model = load_model(str(tmp_path / "m"))
    with pytest.raises(NotImplementedHere):
        model.get_raw_model()
    with pytest.raises(NotImplementedHere):
        list(model.predict_stream([{"x": 1}]))
    with pytest.raises(InvalidParameterValue, match="pip and conda"):
        get_model_dependencies(str(tmp_path / "m"), "poetry")


def test_arrays_pass_unchanged_without_a_signature(tmp_path: Path) -> None:
    save_model(tmp_path / "m", python_model=lambda data: data)
    array = np.ones((2, 2))
    assert load_model(str(tmp_path / "m")).predict(array) is array
