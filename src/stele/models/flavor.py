"""What a flavor is: everything that differs between libraries, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from stele.models.files import ModelFiles
from stele.models.findings import Finding
from stele.models.trust import AdmittedModel

__all__ = ["ArrayPredictor", "Flavor", "Predictor", "Written"]


class Predictor(Protocol):
    """A loaded model as the function that every tool calls."""

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """The predictions for data that were checked against the signature; ``params`` may be left out of it."""
        ...


@runtime_checkable
class ArrayPredictor(Protocol):
    """A predictor that may do without data frames, which cost more than the prediction of one row."""

    def on_arrays(self, names: Sequence[str]) -> Callable[[Any], Any] | None:
        """What predicts for a two-dimensional array as ``predict`` does for a frame with these columns.

        None when this model wants frames.
        """
        ...


class Written(Struct, kw_only=True):
    """What a flavor wrote into the directory of a model.

    Attributes:
        config: The flavor's block in MLmodel, without ``code``; None when the model has only the python_function block.
        pyfunc: Its block as a python function, without what all have (``loader_module``, ``env``, ``python_version``);
            None when the model has nothing to predict with.
        libraries: Modules that the model needs, whatever its files say.
        predictor: Makes the model that was saved, as a function, to see what an example gives; None when it has none.
    """

    config: dict[str, Any] | None = None
    pyfunc: dict[str, Any] | None = None
    libraries: Sequence[str] = ()
    predictor: Callable[[], Predictor] | None = None


class Flavor(Protocol):
    """How a library's models are kept. Each flavor's ``save_model`` has its own arguments, and so its way to write.

    Obligations of every implementation:

    * ``findings`` comes first and reads files only as bytes: nothing of the model is imported or run.
    * ``read`` touches a file only through the admitted model. No name from MLmodel is imported; where a configuration
      names a class, it is looked up in a table of the flavor.
    * What MLflow wrote is read, with any keys absent that MLflow may leave out.

    Attributes:
        name: Key of its block in MLmodel.
        loader_module: What the python_function block names: ``mlflow.<name>``, so that MLflow finds its own.
        purpose: What a missing library is needed for, as in "to load a model of scikit-learn".
    """

    name: str
    loader_module: str
    purpose: str

    def findings(self, files: ModelFiles) -> list[Finding]:
        """What loading the model would do: one finding for each file that ``read`` loads."""
        ...

    def read(self, admitted: AdmittedModel, **options: Any) -> Any:
        """The model as its library knows it.

        Args:
            admitted: Its files.
            **options: Of the flavor's ``load_model``.

        Raises:
            MissingDependency: The library is not installed.
        """
        ...

    def as_predictor(self, native: Any, admitted: AdmittedModel, model_config: Mapping[str, Any]) -> Predictor:
        """A loaded model as a function.

        Args:
            native: What ``read`` returned.
            admitted: Its files.
            model_config: ``config`` of the python_function block, with what the caller changed.
        """
        ...
