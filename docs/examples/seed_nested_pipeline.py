"""A pipeline as one run with a child for each stage, as the production guide advises."""

import stele as mlflow

mlflow.set_experiment("recommender-v4")

with mlflow.start_run(run_name="pipeline") as pipeline:
    with mlflow.start_run(run_name="train", nested=True) as training:
        mlflow.log_params({"batch_size": 128, "optimizer": "adam"})
        for epoch in range(5):
            mlflow.log_metric("loss", 1.0 / (epoch + 1), step=epoch)
    with mlflow.start_run(run_name="evaluate", nested=True):
        mlflow.log_metrics({"f1_score": 0.93, "auc": 0.97})

stages = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{pipeline.info.run_id}'")
print(stages[["run_id", "status"]])
print(mlflow.get_metric_history(training.info.run_id, "loss")[-1].value)
