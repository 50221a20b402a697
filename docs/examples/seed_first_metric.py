"""The first line of the mission's documents: a metric without a run starts one."""

import stele as mlflow

mlflow.log_metric("accuracy", 0.95)
