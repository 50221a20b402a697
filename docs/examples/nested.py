"""Runs under runs."""

import stele

stele.set_experiment("nested")
# --8<-- [start:nested]
with stele.start_run(run_name="search") as parent:
    for depth in (2, 4):
        with stele.start_run(run_name=f"depth {depth}", nested=True):
            stele.log_param("depth", depth)
    stele.log_metric("tried", 2)  # the parent is active again

children = stele.search_runs(
    filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
    order_by=["run_name"],
    output_format="list",
)
print([run.info.run_name for run in children])
print(stele.get_parent_run(children[0].info.run_id).info.run_name)
# --8<-- [end:nested]

# --8<-- [start:elsewhere]
# Another process or machine knows the id only.
with stele.start_run(run_name="depth 8", parent_run_id=parent.info.run_id):
    stele.log_param("depth", 8)
# --8<-- [end:elsewhere]
print(len(stele.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'")))
