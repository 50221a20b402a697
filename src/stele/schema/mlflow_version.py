"""Which MLflow Stele speaks like."""

MLFLOW_VERSION = "3.17.2"
"""The version whose wire, model format and scoring server are kept. Clients read its major number from ``/version``."""
