"""Logs to the server that STELE_TRACKING_URI names, and asks it for the runs of everybody."""

import stele

stele.set_experiment("shared")
with stele.start_run(run_name="from a laptop"):
    stele.log_metric("accuracy", 0.91)
    stele.log_text("hello", "notes/hello.txt")

for run in stele.search_runs(experiment_names=["shared"], output_format="list"):
    print(run.info.run_name, run.data.metrics, run.info.artifact_uri.partition(":")[0])
