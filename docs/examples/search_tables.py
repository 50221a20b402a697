"""A search as a table of pandas, polars or arrow, and page by page."""

import stele

stele.set_experiment("tables")
for number in range(5):
    with stele.start_run(run_name=f"run {number}"):
        stele.log_metric("loss", 1 / (number + 1))

# --8<-- [start:tables]
frame = stele.search_runs(order_by=["metrics.loss"])  # pandas
print(frame["metrics.loss"].round(2).tolist())

frame = stele.search_runs(order_by=["metrics.loss"], output_format="polars")
print(frame["metrics.loss"].round(2).to_list())

table = stele.search_runs(output_format="arrow")
print(table.num_rows, table.schema.field("start_time").type)
# --8<-- [end:tables]

# --8<-- [start:pages]
client = stele.Client()
experiment = client.get_experiment_by_name("tables")
token = None
while True:
    page = client.search_runs([experiment.experiment_id], max_results=2, page_token=token)
    print([run.info.run_name for run in page])
    token = page.token
    if token is None:
        break
# --8<-- [end:pages]
