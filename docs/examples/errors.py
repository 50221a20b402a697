"""Errors tell what was wrong; one class catches all of them, under MLflow's name too."""

import stele

try:
    stele.get_run("0" * 32)
except stele.exceptions.MlflowException as error:
    print(error.error_code, "-", error)

try:
    stele.search_runs(filter_string="metric.loss == 3")
except stele.exceptions.InvalidFilter as error:
    print(error)
