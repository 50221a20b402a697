"""Metrics of many runs as one table: every point, a range, or buckets for a chart."""

import math

import matplotlib.pyplot as plt

import stele
from stele.entities import Metric

stele.set_experiment("curves")
client = stele.Client()
started = 1_767_225_600_000
for rate in (0.1, 0.01):
    with stele.start_run(run_name=f"lr={rate}") as run:
        losses = [math.exp(-rate * step / 100) + 0.01 * math.sin(step) for step in range(700)]
        losses[345] = 7.5  # a spike
        losses[500] = math.nan
        client.log_batch(
            run.info.run_id, [Metric("loss", loss, started + 100 * step, step) for step, loss in enumerate(losses)]
        )

# --8<-- [start:points]
runs = stele.search_runs(order_by=["start_time ASC"])
table = stele.metric_history(runs, "loss", start=343, end=346)
print(table[["step", "value"]].round(3).to_string(index=False))
# --8<-- [end:points]

# --8<-- [start:buckets]
table = stele.metric_history(runs, "loss", buckets=4)
print(table[["first_x", "last_x", "points", "nans", "min", "max", "last"]].round(2).to_string(index=False))
# --8<-- [end:buckets]

# --8<-- [start:axes]
minute = 60_000
first = stele.metric_history(runs, "loss", x="time", start=started, end=started + minute, output_format="polars")
print(first.height, first["timestamp"].max())
# --8<-- [end:axes]

# --8<-- [start:figure]
curves = stele.metric_history(runs, "loss", buckets=40)
figure, axes = plt.subplots()
for _, curve in curves.groupby("run_id", observed=True):
    axes.plot(curve["first_x"], curve["mean"])
    axes.fill_between(curve["first_x"], curve["min"], curve["max"], alpha=0.14)
print(len(curves), "rows for", curves["points"].sum(), "points")
# --8<-- [end:figure]
