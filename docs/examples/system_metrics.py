"""The machine, sampled while a run goes on."""

import stele

stele.set_experiment("machine")
# --8<-- [start:sample]
stele.set_system_metrics_sampling_interval(5)
with stele.start_run(log_system_metrics=True) as run:
    sum(range(1_000_000))

names = stele.get_run(run.info.run_id).data.metrics
print("system/cpu_utilization_percentage" in names, "system/system_memory_usage_megabytes" in names)
# --8<-- [end:sample]
