"""An experiment with an owner and a place for its files, made once, as in the production guide."""

import stele as mlflow

experiment_name = "fraud-detection-v5"
try:
    experiment_id = mlflow.create_experiment(
        experiment_name,
        artifact_location="s3://mlflow-artifacts/fraud-detection-v5",
        tags={"team": "ds-payments", "status": "active"},
    )
except mlflow.exceptions.MlflowException:
    experiment_id = mlflow.get_experiment_by_name(experiment_name).experiment_id

mlflow.set_experiment(experiment_name)

with mlflow.start_run():
    mlflow.log_param("model_type", "xgboost")
    mlflow.set_tag("purpose", "online-training")
