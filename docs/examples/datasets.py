"""Which data a run read: a name, a digest, a schema, a profile and a source, never the data."""

import pandas as pd

import stele

pd.DataFrame({"age": [31, 47], "churned": [0, 1]}).to_csv("customers.csv", index=False)

stele.set_experiment("datasets")
# --8<-- [start:log]
frame = pd.read_csv("customers.csv")
dataset = stele.data.from_pandas(frame, source="customers.csv", name="customers", targets="churned")
with stele.start_run() as run:
    stele.log_input(dataset, context="training", tags={"cut": "2026-01"})
    stele.log_metric("auc", 0.81, dataset=dataset)
# --8<-- [end:log]

# --8<-- [start:read]
used = stele.get_run(run.info.run_id).inputs.dataset_inputs[0]
print(used.dataset.name, used.dataset.digest, {tag.key: tag.value for tag in used.tags})
print(used.dataset.schema)
print(stele.data.get_source(used).load().rpartition("/")[2])
print(len(stele.search_runs(filter_string="dataset.name = 'customers' AND dataset.context = 'training'")))
# --8<-- [end:read]
