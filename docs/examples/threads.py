"""Each thread has its own active run."""

from concurrent.futures import ThreadPoolExecutor

import stele

stele.set_experiment("threads")


# --8<-- [start:threads]
def train(seed):
    with stele.start_run(run_name=f"seed {seed}"):
        for step in range(10):
            stele.log_metric("loss", 1 / (seed + step + 1), step=step)


with ThreadPoolExecutor(4) as pool:
    list(pool.map(train, range(4)))

runs = stele.search_runs(order_by=["run_name"], output_format="list")
print([run.info.run_name for run in runs], [run.info.status for run in runs])
# --8<-- [end:threads]
