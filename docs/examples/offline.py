"""A run on a machine without a network."""

import os

os.environ["STELE_OFFLINE"] = "1"
# --8<-- [start:run]
import stele

stele.set_experiment("night shift")
with stele.start_run(run_name="no network") as run:
    stele.log_params({"lr": 0.1, "layers": 3})
    for step in range(100):
        stele.log_metric("loss", 1 / (step + 1), step=step)
    stele.log_text("All went well.", "report.txt")
    print(stele.get_run(run.info.run_id).data.metrics)
# --8<-- [end:run]

# --8<-- [start:read]
try:
    stele.search_runs(experiment_names=["night shift"])
except stele.exceptions.Unavailable as error:
    print(error.message.partition(".")[0])
# --8<-- [end:read]
