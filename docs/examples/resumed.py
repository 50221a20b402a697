"""A run that is continued, and the ways that a run ends."""

import stele

stele.set_experiment("resumed")
# --8<-- [start:resume]
with stele.start_run(run_name="long training") as run:
    stele.log_metric("loss", 0.9, step=0)

# The next day, perhaps on another machine.
with stele.start_run(run_id=run.info.run_id):
    stele.log_metric("loss", 0.5, step=1)

print([point.value for point in stele.get_metric_history(run.info.run_id, "loss")])
# --8<-- [end:resume]

# --8<-- [start:ends]
try:
    with stele.start_run(run_name="breaks"):
        float("no number")
except ValueError:
    pass

stele.start_run(run_name="by hand")
stele.end_run("KILLED")

for run in stele.search_runs(order_by=["run_name"], output_format="list"):
    print(run.info.run_name, run.info.status)
# --8<-- [end:ends]
