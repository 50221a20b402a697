"""Twelve runs under one parent: four learning rates, three numbers of epochs."""

import itertools

from train import fit

import stele

# --8<-- [start:sweep]
stele.set_experiment("line")
with stele.start_run(run_name="sweep"):
    for lr, epochs in itertools.product([0.01, 0.1, 0.5, 1.0], [50, 100, 200]):
        with stele.start_run(run_name=f"lr={lr} epochs={epochs}", nested=True):
            stele.log_params({"lr": lr, "epochs": epochs})
            slope, offset, loss = fit(lr, epochs)
            stele.log_metric("slope_error", abs(slope - 2))
# --8<-- [end:sweep]

# --8<-- [start:best]
best = stele.search_runs(
    filter_string="metrics.slope_error < 0.1 AND params.epochs <= 100",
    order_by=["metrics.loss ASC"],
    output_format="list",
)
for run in best:
    print(f"{run.info.run_name:20} {run.data.metrics['loss']:.6f} {run.data.metrics['slope_error']:.4f}")
# --8<-- [end:best]
