"""A program that logs a small model in a loop, with Stele or with MLflow, and prints as JSON how long the calls took.

``python model_calls.py MODULE URI CALLS DIRECTORY``; the module is ``stele`` or ``mlflow``. The model is saved into the
directory as well, with an example and a signature. Runs in either environment.
"""

import importlib
import json
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

FEATURES = 10


def small_model():
    """A model, and a frame of what it takes."""
    rows = np.random.default_rng(0).random((200, FEATURES))
    frame = pd.DataFrame(rows, columns=[f"f{place}" for place in range(FEATURES)])
    return LogisticRegression().fit(frame, (rows[:, 0] > rows[:, 1]).astype(int)), frame


def main():
    """Log, and print what it took."""
    name, uri, calls, directory = sys.argv[1:]
    warnings.simplefilter("ignore")
    os.chdir(Path(directory).parent)  # MLflow keeps the files of a local store where it was started
    tracker = importlib.import_module(name)
    flavor = importlib.import_module(f"{name}.sklearn")
    infer_signature = importlib.import_module(f"{name}.models").infer_signature
    tracker.set_tracking_uri(uri)
    model, frame = small_model()
    figures = {}
    with tracker.start_run():
        for what, options in (
            ("plain", dict),
            (
                "example",
                lambda: {"input_example": frame[:5], "signature": infer_signature(frame, model.predict(frame))},
            ),
        ):
            times = []
            for number in range(int(calls) + 1):
                started = time.perf_counter()
                flavor.log_model(model, name=f"{what}{number}", **options())
                times.append((time.perf_counter() - started) * 1000)
            figures[what] = statistics.median(times[1:])
            figures[f"first {what}"] = times[0]
    flavor.save_model(model, directory, input_example=frame[:5], signature=infer_signature(frame, model.predict(frame)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
