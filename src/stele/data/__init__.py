"""Datasets: what a run was trained on, as name, digest, schema, profile and source, never the data themselves."""

from __future__ import annotations

from stele.data.dataset import Dataset
from stele.data.dataset_source import DatasetSource
from stele.data.huggingface_dataset import HuggingFaceDataset, from_huggingface
from stele.data.meta_dataset import MetaDataset
from stele.data.numpy_dataset import NumpyDataset, from_numpy
from stele.data.pandas_dataset import PandasDataset, from_pandas
from stele.data.polars_dataset import PolarsDataset, from_polars
from stele.data.spark_dataset import SparkDataset, from_spark, load_delta
from stele.data.stored_source import get_source

__all__ = [
    "Dataset",
    "DatasetSource",
    "HuggingFaceDataset",
    "MetaDataset",
    "NumpyDataset",
    "PandasDataset",
    "PolarsDataset",
    "SparkDataset",
    "from_huggingface",
    "from_numpy",
    "from_pandas",
    "from_polars",
    "from_spark",
    "get_source",
    "load_delta",
]
