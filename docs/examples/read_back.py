"""Reads the newest run of the experiment ``line`` back."""

import stele

run = stele.search_runs(experiment_names=["line"], order_by=["start_time DESC"], output_format="list")[0]
print(run.info.run_name, run.info.status, run.data.params)

history = stele.get_metric_history(run.info.run_id, "loss")
print(len(history), "points, from", round(history[0].value, 3), "to", round(history[-1].value, 5))

print([file.path for file in stele.artifacts.list_artifacts(run_id=run.info.run_id) if not file.is_dir])
print(stele.artifacts.load_text(f"runs:/{run.info.run_id}/formula.txt").strip())
