"""A program that predicts with models in Spark, through Stele or MLflow, and prints as JSON what came out.

``python spark_driver.py MODULE DIRECTORY``; the module is ``stele`` or ``mlflow``, the directory holds the models that
``save_spark_models`` of ``test_spark_udf.py`` saved. For each case: the type of the column and its values, or ``None``
when it cannot be.
"""

import importlib
import json
import sys
import warnings

from pyspark.sql import SparkSession
from pyspark.sql.functions import struct

TYPES = (
    *("int", "long", "float", "double", "string", "boolean", "timestamp", "map<string,int>"),
    *("array<int>", "array<long>", "array<float>", "array<double>", "array<string>", "array<boolean>"),
    *("i int, s string", "l long, none string"),
)


def cases():
    """Model, type of the result, arguments."""
    for wanted in (None, *TYPES):
        yield "frame", wanted, ("a", "b")
    for arguments in (("a", "b"), (struct("b", "a"),), ()):
        yield "columns", "string", arguments
        yield "columns-signed", None, arguments
    yield "columns-signed", None, ("a",)
    for kind in ("named", "two", "tensor"):
        yield f"frame-{kind}", None, ("a", "b")
    for wanted in ("int", "double"):
        yield "floats", wanted, ("a", "b")
    yield "matrix", "array<long>", ("a", "b")
    yield "records", "x long, y string", ("a", "b")


def shown(value):
    """A value of a row as JSON holds it."""
    return value.asDict() if hasattr(value, "asDict") else value


def main():
    """Go through the cases."""
    module, folder = sys.argv[1:]
    warnings.simplefilter("ignore")
    pyfunc = importlib.import_module(f"{module}.pyfunc")
    options = {"trust": True} if module == "stele" else {}
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.warehouse.dir", f"{folder}/{module}-warehouse").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    frame = spark.createDataFrame([(1.0, 2), (3.0, 4)], "a double, b int").coalesce(1)
    found = {}
    for model, wanted, arguments in cases():
        try:
            function = pyfunc.spark_udf(spark, f"{folder}/{model}", wanted, env_manager="local", **options)
            column = frame.select(function(*arguments).alias("p"))
            result = [column.schema["p"].dataType.simpleString(), [shown(row.p) for row in column.collect()]]
        except Exception as error:
            result = None
            sys.stderr.write(f"{model} {wanted} {error}\n")
        found[f"{model} {wanted} {arguments}"] = result
    spark.stop()
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
