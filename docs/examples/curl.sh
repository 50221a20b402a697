# --8<-- [start:create]
curl --json '{"name": "from-curl", "tags": [{"key": "team", "value": "risk"}]}' \
  http://127.0.0.1:5000/api/2.0/mlflow/experiments/create
# --8<-- [end:create]
# --8<-- [start:run]
curl --json '{"experiment_id": "1", "run_name": "by hand", "start_time": 1767225600000}' \
  http://127.0.0.1:5000/api/2.0/mlflow/runs/create
# --8<-- [end:run]
# --8<-- [start:batch]
curl --json '{
    "run_id": "RUN_ID",
    "params": [{"key": "lr", "value": "0.1"}],
    "metrics": [
      {"key": "loss", "value": 0.9, "timestamp": 1767225601000, "step": 0},
      {"key": "loss", "value": "NaN", "timestamp": 1767225602000, "step": 1},
      {"key": "loss", "value": 0.4, "timestamp": 1767225603000, "step": 2}
    ]}' \
  http://127.0.0.1:5000/api/2.0/mlflow/runs/log-batch
# --8<-- [end:batch]
# --8<-- [start:columns]
curl --json '{
    "client_id": "my-program-7f3a", "sequence": 1,
    "series": [{
      "run_id": "RUN_ID", "key": "accuracy",
      "steps": [0, 1, 2], "timestamps": [1767225601000, 1767225602000, 1767225603000], "values": [0.5, 0.7, 0.8]
    }]}' \
  http://127.0.0.1:5000/api/2.0/stele/ingest
# --8<-- [end:columns]
# --8<-- [start:file]
curl --upload-file report.txt \
  http://127.0.0.1:5000/api/2.0/mlflow-artifacts/artifacts/1/RUN_ID/artifacts/report.txt
# --8<-- [end:file]
# --8<-- [start:end]
curl --json '{"run_id": "RUN_ID", "status": "FINISHED", "end_time": 1767225610000}' \
  http://127.0.0.1:5000/api/2.0/mlflow/runs/update
# --8<-- [end:end]
# --8<-- [start:search]
curl --json '{"experiment_ids": ["1"], "filter": "min(metrics.loss) < 0.5", "order_by": ["metrics.loss ASC"]}' \
  http://127.0.0.1:5000/api/2.0/mlflow/runs/search
# --8<-- [end:search]
# --8<-- [start:read]
curl 'http://127.0.0.1:5000/api/2.0/mlflow/metrics/get-history?run_id=RUN_ID&metric_key=loss'
curl 'http://127.0.0.1:5000/get-artifact?run_id=RUN_ID&path=report.txt'
curl 'http://127.0.0.1:5000/api/2.0/stele/artifacts/versions?run_id=RUN_ID&path=report.txt'
curl --output everything.zip 'http://127.0.0.1:5000/api/2.0/stele/artifacts/zip?run_id=RUN_ID'
# --8<-- [end:read]
# --8<-- [start:series]
curl --json '{"run_ids": ["RUN_ID"], "keys": ["loss", "accuracy"], "x": "relative", "buckets": 400}' \
  http://127.0.0.1:5000/api/2.0/stele/series
# --8<-- [end:series]
# --8<-- [start:openapi]
curl http://127.0.0.1:5000/api/openapi.json
# --8<-- [end:openapi]
