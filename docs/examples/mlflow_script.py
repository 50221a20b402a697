import mlflow
from mlflow.tracking import MlflowClient

mlflow.set_experiment("moved")
with mlflow.start_run() as run:
    mlflow.log_params({"depth": 4, "model": "forest"})
    mlflow.log_metrics({"auc": 0.93, "f1": 0.88}, step=1)

client = MlflowClient()
print(client.get_run(run.info.run_id).data.metrics)
print(mlflow.search_runs(experiment_names=["moved"])["params.model"].tolist())
