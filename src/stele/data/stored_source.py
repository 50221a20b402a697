"""From the description of a source that a run logged back to the source."""

from __future__ import annotations

from stele.data.dataset import Dataset
from stele.data.dataset_source import DatasetSource
from stele.data.library_sources import DeltaDatasetSource, HuggingFaceDatasetSource, SparkDatasetSource
from stele.data.sources import (
    CodeDatasetSource,
    FileSystemDatasetSource,
    HTTPDatasetSource,
    LocalArtifactDatasetSource,
    S3DatasetSource,
)
from stele.errors import InvalidParameterValue, shown
from stele.schema.datasets import Dataset as DatasetEntity
from stele.schema.datasets import DatasetInput

__all__ = ["BY_TYPE", "get_source"]

BY_TYPE: dict[str, type[DatasetSource]] = {
    "code": CodeDatasetSource,
    "delta_table": DeltaDatasetSource,
    "filesystem": FileSystemDatasetSource,
    "http": HTTPDatasetSource,
    "hugging_face": HuggingFaceDatasetSource,
    "local": LocalArtifactDatasetSource,
    "s3": S3DatasetSource,
    "spark": SparkDatasetSource,
}
"""Stored source type -> class."""


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
