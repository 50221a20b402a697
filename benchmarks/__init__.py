"""What Stele costs beside MLflow, measured in the same run on the same machine."""
