"""A program that saves models with MLflow: ``python save_models.py DIRECTORY``."""

import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

FOLDER = Path(sys.argv[1])


class Scaled(mlflow.pyfunc.PythonModel):
    """Takes columns of several types, and a parameter."""

    def predict(self, context, model_input, params=None):
        """Scale one column, and show what came."""
        return pd.DataFrame(
            {
                "scaled": model_input["x"] * (params or {}).get("factor", 1.0),
                "kind": [
                    f"{type(n).__name__[:3]} {s} {b}"
                    for n, s, b in model_input[["n", "s", "b"]].itertuples(index=False)
                ],
            }
        )


def save(name, model, data, **options):
    """Save with a signature."""
    mlflow.sklearn.save_model(model, FOLDER / name, signature=infer_signature(data, model.predict(data)), **options)


def main():
    """Save one of each kind."""
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 3.0]})
    target = 2 * frame["a"] + frame["b"]
    save("columns", LinearRegression().fit(frame, target), frame, input_example=frame[:1])
    save("tensor", LinearRegression().fit(frame.to_numpy(), target), frame.to_numpy())
    mlflow.sklearn.save_model(LinearRegression().fit(frame, target), FOLDER / "unsigned")
    mixed = pd.DataFrame({"x": [1.5], "n": np.array([1], dtype="int64"), "s": ["t"], "b": [True]})
    signature = infer_signature(mixed, params={"factor": 2.0})
    mlflow.pyfunc.save_model(FOLDER / "mixed", python_model=Scaled(), signature=signature)


if __name__ == "__main__":
    main()
