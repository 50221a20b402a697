"""Finding the best run by a query instead of copying its id, as in the production guide."""

import stele as mlflow

mlflow.set_tracking_uri("http://mlflow-server:5000")

experiment_id = mlflow.get_experiment_by_name("fraud-detection-v5").experiment_id

# Find best run by validation AUC
best_runs = mlflow.search_runs(
    experiment_ids=[experiment_id],
    filter_string="metrics.val_auc > 0.95",
    order_by=["metrics.val_auc DESC"],
    max_results=1,
)

if not best_runs.empty:
    best_run_id = best_runs.iloc[0]["run_id"]
    model_uri = f"runs:/{best_run_id}/model"
    print(model_uri)
