"""A gate before promotion: the pipeline fails when F1 drops by more than 2 % against the champion."""

import sys

import stele as mlflow


def f1_of_the_latest(purpose: str) -> float:
    """The F1 of the newest run with this purpose."""
    runs = mlflow.search_runs(
        experiment_names=["fraud-detection-v5"],
        filter_string=f"tags.purpose = '{purpose}' AND metrics.f1_score > 0 AND params.model_type = 'xgboost'",
        order_by=["start_time DESC"],
        max_results=1,
        output_format="list",
    )
    return runs[0].data.metrics["f1_score"]


champion, candidate = f1_of_the_latest("champion"), f1_of_the_latest("candidate")
if candidate < champion * 0.98:
    sys.exit(f"F1 fell from {champion:.3f} to {candidate:.3f}, more than 2 %.")
print(f"F1 {candidate:.3f} may replace {champion:.3f}.")
