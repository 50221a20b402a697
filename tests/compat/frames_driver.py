"""A program with Spark and Hugging Face's datasets: logs data of both, reads them back, prints what it found as JSON.

``python frames_driver.py DIRECTORY``.
"""

import json
import sys
from pathlib import Path

import datasets
import pyspark.sql

import stele
import stele.data

FOLDER = Path(sys.argv[1])


def spark_facts(spark):
    """What is known of a data frame of Spark, and of the same one after a write and a read."""
    rows = [(1, 0.5, "a", True), (2, None, "b", False)]
    frame = spark.createDataFrame(rows, "id long, score double, name string, flag boolean")
    path = str(FOLDER / "rows.parquet")
    frame.write.parquet(path)
    read = spark.read.parquet(path)
    dataset = stele.data.from_spark(read, path=path, targets="flag", name="rows")
    again = stele.data.from_spark(spark.read.parquet(path), path=path, targets="flag", name="rows")
    other = stele.data.from_spark(frame.filter("id > 1"), name="rows")
    with stele.start_run() as run:
        stele.log_input(dataset, context="training")
    kept = stele.get_run(run.info.run_id).inputs.dataset_inputs[0].dataset
    return {
        "columns": [(spec.name, spec.type) for spec in dataset.schema.inputs],
        "same": dataset.digest == again.digest,
        "differs": dataset.digest != other.digest,
        "kept": [kept.name, kept.digest == dataset.digest, kept.source_type, json.loads(kept.source)],
        "loaded": sorted(row.id for row in dataset.source.load().collect()),
    }


def hugging_face_facts():
    """What is known of a dataset in memory."""
    made = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 1, 0], "score": [0.1, 0.2, None]})
    dataset = stele.data.from_huggingface(made, targets="label", name="texts")
    again = stele.data.from_huggingface(datasets.Dataset.from_dict(made.to_dict()), targets="label", name="texts")
    other = stele.data.from_huggingface(made.select([0, 1]), name="texts")
    with stele.start_run() as run:
        stele.log_input(dataset, context="evaluation")
    kept = stele.get_run(run.info.run_id).inputs.dataset_inputs[0].dataset
    return {
        "columns": [(spec.name, spec.type) for spec in dataset.schema.inputs],
        "rows": dataset.profile["num_rows"],
        "same": dataset.digest == again.digest,
        "differs": dataset.digest != other.digest,
        "kept": [kept.name, kept.digest == dataset.digest, kept.source_type],
    }


def main():
    """Look at both."""
    stele.set_tracking_uri(f"sqlite:///{FOLDER}/stele.db")
    builder = pyspark.sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.warehouse.dir", str(FOLDER / "warehouse")).getOrCreate()
    try:
        sys.stdout.write(json.dumps({"spark": spark_facts(spark), "hugging_face": hugging_face_facts()}) + "\n")
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
