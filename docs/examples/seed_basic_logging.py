"""Logging a training loop, as in the production guide."""

import stele as mlflow

mlflow.set_tracking_uri("http://localhost:5000")
mlflow.set_experiment("home-price-prediction")

with mlflow.start_run():
    mlflow.log_param("learning_rate", 0.01)
    mlflow.log_param("model_type", "xgboost")
    for epoch in range(10):
        # simulate training loop
        loss = 1.0 / (epoch + 1)
        mlflow.log_metric("loss", loss, step=epoch)
    mlflow.log_artifact("model.pkl")
    mlflow.set_tag("trained_by", "alice")
