"""A run that goes back to a checkpoint, and one that is forked from it."""

import stele

stele.set_experiment("rewound")
# --8<-- [start:rewind]
with stele.start_run(run_name="training") as run:
    for step, loss in enumerate([0.9, 0.7, 0.6, 55.0, float("nan")]):
        stele.log_metric("loss", loss, step=step)

    print(stele.rewind(run, step=2).hidden_points, "points hidden")
    for step, loss in enumerate([0.5, 0.4], start=3):
        stele.log_metric("loss", loss, step=step)

print([point.value for point in stele.get_metric_history(run.info.run_id, "loss")])
# --8<-- [end:rewind]

# --8<-- [start:fork]
with stele.start_run(run_name="smaller rate", fork_from=run, fork_step=3) as fork:
    stele.log_metric("loss", 0.3, step=4)

print([point.value for point in stele.get_metric_history(fork.info.run_id, "loss")])
# --8<-- [end:fork]
