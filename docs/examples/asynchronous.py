"""Logging that does not wait for the store."""

import stele

stele.set_experiment("asynchronous")
# --8<-- [start:one]
with stele.start_run() as run:
    for step in range(100_000):
        stele.log_metric("loss", 1 / (step + 1), step=step)  # a microsecond
# Here everything is stored: the end of a run waits for it.
print(len(stele.get_metric_history(run.info.run_id, "loss")))
# --8<-- [end:one]

# --8<-- [start:wait]
with stele.start_run():
    operations = stele.log_params({"lr": 0.1, "depth": 3}, synchronous=False)
    operations.wait()  # raises what went wrong
    stele.log_metric("loss", 0.5)
    stele.flush_async_logging()  # the same for everything that is on its way
# --8<-- [end:wait]

# --8<-- [start:error]
with stele.start_run():
    stele.log_param("lr", 0.1)
    operation = stele.log_param("lr", 0.2, synchronous=False)
    try:
        operation.wait()
    except stele.exceptions.InvalidParameterValue as error:
        print(error.error_code)
# --8<-- [end:error]
