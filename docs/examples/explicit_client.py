"""The same without an active run: every call names the run."""

import stele

# --8<-- [start:client]
client = stele.Client("sqlite:///elsewhere.db")
experiment_id = client.create_experiment("explicit")
run = client.create_run(experiment_id, run_name="from a service")
client.log_metric(run.info.run_id, "latency", 12.5, step=1)
client.log_batch(
    run.info.run_id,
    metrics=[
        stele.entities.Metric("latency", 11.0, timestamp=1_767_225_600_000, step=2),
        stele.entities.Metric("latency", 9.5, timestamp=1_767_225_660_000, step=3),
    ],
    params=[stele.entities.Param("batch", "32")],
)
client.set_terminated(run.info.run_id)
print(client.get_run(run.info.run_id).data.metrics, len(client.get_metric_history(run.info.run_id, "latency")))
# --8<-- [end:client]
