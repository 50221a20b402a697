"""Ends with code 1 when the newest candidate is worse than the champion."""

import sys

import stele

ALLOWED_LOSS = 0.01


def newest(role):
    runs = stele.search_runs(
        experiment_names=["churn"],
        filter_string=f"tags.role = '{role}' AND metrics.auc IS NOT NULL AND status = 'FINISHED'",
        order_by=["start_time DESC"],
        max_results=1,
        output_format="list",
    )
    if not runs:
        sys.exit(f"There is no finished run with the role {role}.")
    return runs[0]


champion, candidate = newest("champion"), newest("candidate")
difference = candidate.data.metrics["auc"] - champion.data.metrics["auc"]
print(f"{candidate.info.run_name}: AUC {difference:+.3f} against {champion.info.run_name}")
if difference < -ALLOWED_LOSS:
    sys.exit(1)
