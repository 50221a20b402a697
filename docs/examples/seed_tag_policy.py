"""A check for CI: it fails when an experiment has no ``team`` tag."""

import sys

import stele as mlflow

try:
    checked = mlflow.check_experiment_tags(["team"])
except mlflow.exceptions.MlflowException as error:
    sys.exit(str(error))
print(f"{len(checked)} experiments have a team.")
