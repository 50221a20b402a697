"""Datasets: what a run was trained on, as name, digest, schema, profile and source, never the data themselves."""

from __future__ import annotations

from stele.data.dataset import Dataset
from stele.data.dataset_source import DatasetSource
from stele.data.huggingface_dataset import HuggingFaceDataset, from_huggingface
from stele.data.meta_dataset import MetaDataset
from stele.data.numpy_dataset import NumpyDataset, from_numpy
from stele.data.pandas_dataset import PandasDataset, from_pandas
from stele.data.polars_dataset import PolarsDataset, from_polars
from stele.data.sources import BY_TYPE
from stele.data.spark_dataset import SparkDataset, from_spark, load_delta
from stele.errors import InvalidParameterValue, shown
from stele.schema.datasets import Dataset as DatasetEntity
from stele.schema.datasets import DatasetInput

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


def get_source(dataset: Dataset | DatasetEntity | DatasetInput) -> DatasetSource:
    """The source of a dataset, also of one that a run logged: ``run.inputs.dataset_inputs[0]``.

    Raises:
        InvalidParameterValue: It is no dataset, or its kind of source is not known.
    """
    if isinstance(dataset, Dataset):
        return dataset.source
    entity = dataset.dataset if isinstance(dataset, DatasetInput) else dataset
    if not isinstance(entity, DatasetEntity):
        raise InvalidParameterValue(f"{shown(dataset)} is no dataset.")
    kind = BY_TYPE.get(entity.source_type)
    if kind is None:
        raise InvalidParameterValue(
            f"The source type {shown(entity.source_type)} is not known. Known are {', '.join(sorted(BY_TYPE))}."
        )
    return kind.from_json(entity.source)
