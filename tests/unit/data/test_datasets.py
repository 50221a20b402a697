import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stele
from stele import data
from stele.data.digests import SAMPLE_ROWS, digest_of, sample_rows
from stele.data.huggingface_dataset import HuggingFaceDataset
from stele.data.library_sources import DeltaDatasetSource, HuggingFaceDatasetSource, SparkDatasetSource
from stele.data.schema import infer_columns
from stele.data.sources import CodeDatasetSource, HTTPDatasetSource, LocalArtifactDatasetSource, S3DatasetSource
from stele.data.stored_source import BY_TYPE
from stele.errors import InvalidParameterValue, NotImplementedHere

FRAME = pd.DataFrame({"f": [1.0, 2.0, 3.0], "y": [0, 1, 0]})


def test_a_pandas_frame_on_the_wire_is_as_mlflow_has_it():
    dataset = data.from_pandas(FRAME, source="/data/x.csv", name="ds", targets="y")
    facts = dataset.to_dict()
    assert set(facts) == {"name", "digest", "source", "source_type", "schema", "profile"}
    assert (facts["name"], facts["source_type"]) == ("ds", "local")
    assert json.loads(facts["source"]) == {"uri": "/data/x.csv"}
    assert json.loads(facts["schema"]) == {
        "mlflow_colspec": [
            {"type": "double", "name": "f", "required": True},
            {"type": "long", "name": "y", "required": True},
        ]
    }
    assert json.loads(facts["profile"]) == {"num_rows": 3, "num_elements": 6}
    assert json.loads(dataset.to_json()) == facts
    assert (dataset.targets, dataset.predictions, dataset.df is FRAME) == ("y", None, True)


def test_arrays_on_the_wire():
    dataset = data.from_numpy(np.zeros((5, 2), dtype=np.float32), targets=np.zeros(5, dtype=np.int64))
    schema = json.loads(dataset.to_dict()["schema"])["mlflow_tensorspec"]
    assert json.loads(schema["features"]) == [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]
    assert json.loads(schema["targets"]) == [{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]
    assert json.loads(dataset.to_dict()["profile"]) == {
        "features_shape": [5, 2],
        "features_size": 10,
        "features_nbytes": 40,
        "targets_shape": [5],
        "targets_size": 5,
        "targets_nbytes": 40,
    }
    named = data.from_numpy({"a": np.zeros((2, 3)), "b": np.zeros(2)})
    schema = json.loads(named.to_dict()["schema"])["mlflow_tensorspec"]
    assert [spec["name"] for spec in json.loads(schema["features"])] == ["a", "b"]
    assert schema["targets"] is None
    assert named.profile["features_shape"] == {"a": [2, 3], "b": [2]}


@pytest.mark.parametrize(
    ("values", "kind", "required"),
    [
        (pd.Series([1], dtype="int8"), "integer", True),
        (pd.Series([1], dtype="int32"), "integer", True),
        (pd.Series([1], dtype="int64"), "long", True),
        (pd.Series([1], dtype="uint16"), "integer", True),
        (pd.Series([1], dtype="uint32"), "long", True),
        (pd.Series([1], dtype="float32"), "float", True),
        (pd.Series([1.0, np.nan]), "double", False),
        (pd.Series([True]), "boolean", True),
        (pd.Series(["a"]), "string", True),
        (pd.Series(["a", None], dtype=object), "string", False),
        (pd.Series([b"a"], dtype=object), "binary", True),
        (pd.Series(pd.to_datetime(["2026-01-01"])), "datetime", True),
        (pd.Series([None, None], dtype=object), "any", False),
        (pd.Series([1, "a"], dtype=object), "any", True),
        (pd.Series([1, None], dtype="Int64"), "long", False),
        (pd.Series(["a", "b"], dtype="category"), "string", True),
    ],
)
def test_types_of_columns(values, kind, required):
    (column,) = infer_columns(pd.DataFrame({"c": values})).inputs
    assert (column.type, column.required) == (kind, required)


def test_types_of_nested_columns():
    frame = pd.DataFrame({"a": [[1, 2], [3]], "o": [{"k": 1.5, "n": None}, {"k": 2.5, "n": None}]})
    array, record = infer_columns(frame).to_dict()["mlflow_colspec"]
    assert array == {"type": "array", "items": {"type": "long"}, "name": "a", "required": True}
    assert record["properties"] == {
        "k": {"type": "double", "required": True},
        "n": {"type": "any", "required": False},
    }


def test_polars_tells_the_same_as_pandas():
    frame = pl.DataFrame(
        {"i": [1, None], "f": [1.0, 2.0], "s": ["a", "b"], "l": [[1], [2, 3]], "r": [{"k": 1}, {"k": 2}]}
    )
    dataset = data.from_polars(frame, targets="f")
    assert [(c.type, c.name, c.required) for c in dataset.schema.inputs[:3]] == [
        ("long", "i", False),
        ("double", "f", True),
        ("string", "s", True),
    ]
    assert dataset.schema.inputs[3].type == {"type": "array", "items": {"type": "long"}}
    assert dataset.schema.inputs[4].type["properties"] == {"k": {"type": "long", "required": True}}
    assert dataset.profile == {"num_rows": 2, "num_elements": 10}
    assert dataset.digest == data.from_polars(frame.clone()).digest != data.from_polars(frame.reverse()).digest


@pytest.mark.parametrize("column", ["targets", "predictions"])
def test_columns_that_do_not_exist_are_refused(column):
    for make, frame in ((data.from_pandas, FRAME), (data.from_polars, pl.DataFrame({"f": [1]}))):
        with pytest.raises(InvalidParameterValue, match=column):
            make(frame, **{column: "none"})


class TestDigests:
    def test_they_are_the_same_everywhere(self):
        assert data.from_numpy(np.arange(6).reshape(2, 3)).digest == "e7fab1f963392fca"
        assert data.from_pandas(FRAME).digest == "41c24b4544f0f976"

    @given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20), st.data())
    def test_a_changed_value_changes_them(self, values, draw):
        array = np.array(values)
        changed = array.copy()
        position = draw.draw(st.integers(0, len(values) - 1))
        changed[position] += 1
        if changed[position] == array[position]:
            changed[position] = 0 if array[position] else 1
        for make in (data.from_numpy, lambda a: data.from_pandas(pd.DataFrame({"x": a}))):
            assert make(array).digest == make(array.copy()).digest
            assert make(array).digest != make(changed).digest

    def test_shape_names_and_types_count(self):
        array = np.zeros((2, 3))
        digests = {
            data.from_numpy(array).digest,
            data.from_numpy(array.reshape(3, 2)).digest,
            data.from_numpy(array.astype("float32")).digest,
            data.from_numpy(array, targets=array).digest,
            data.from_numpy({"a": array}).digest,
            data.from_pandas(pd.DataFrame(array, columns=list("abc"))).digest,
            data.from_pandas(pd.DataFrame(array, columns=list("abd"))).digest,
        }
        assert len(digests) == 7
        assert all(len(digest) == 16 for digest in digests)

    def test_memory_layout_and_byte_order_do_not(self):
        array = np.arange(6.0).reshape(2, 3)
        assert data.from_numpy(np.asfortranarray(array)).digest == data.from_numpy(array).digest
        assert data.from_numpy(array.astype(">f8")).digest == data.from_numpy(array).digest

    def test_odd_cells_are_fine(self):
        frame = pd.DataFrame({"a": [[1], {"b": 2}], "b": [None, object]})
        assert data.from_pandas(frame).digest == data.from_pandas(frame.copy()).digest
        array = np.array([[1], "a"], dtype=object)
        assert data.from_numpy(array).digest == data.from_numpy(array.copy()).digest

    @given(st.integers(0, 10**9))
    def test_a_sample_is_bounded_and_has_both_ends(self, count):
        rows = sample_rows(count, 100)
        assert rows == sorted(set(rows))
        assert len(rows) == min(count, 100)
        if count:
            assert (rows[0], rows[-1]) == (0, count - 1)

    def test_where_one_part_ends_counts(self):
        assert digest_of(["ab", "c"]) != digest_of(["a", "bc"])

    def test_a_long_frame_is_sampled(self):
        frame = pd.DataFrame({"x": np.arange(SAMPLE_ROWS * 3)})
        longer = pd.concat([frame, frame.tail(1)])
        assert data.from_pandas(frame).digest != data.from_pandas(longer).digest


class TestSources:
    @pytest.mark.parametrize(
        ("given", "cls", "source_type"),
        [
            (None, CodeDatasetSource, "code"),
            ("data/x.csv", LocalArtifactDatasetSource, "local"),
            ("file:///data/x.csv", LocalArtifactDatasetSource, "local"),
            ("https://h/x.csv", HTTPDatasetSource, "http"),
            ("s3://bucket/x", S3DatasetSource, "s3"),
            ("gs://bucket/x", BY_TYPE["filesystem"], "filesystem"),
            ("runs:/abc/x", BY_TYPE["filesystem"], "filesystem"),
        ],
    )
    def test_what_a_text_means(self, given, cls, source_type):
        dataset = data.from_pandas(FRAME, source=given)
        assert type(dataset.source) is cls
        assert dataset.to_dict()["source_type"] == source_type

    @pytest.mark.parametrize(
        "source",
        [
            CodeDatasetSource({"a": "b"}),
            LocalArtifactDatasetSource("/x"),
            HTTPDatasetSource("https://h/x?page=2"),
            HuggingFaceDatasetSource("owner/name", split="train", revision="main"),
            SparkDatasetSource(table_name="t"),
            DeltaDatasetSource(path="/d", delta_table_version="3"),
        ],
    )
    def test_sources_survive_the_store(self, source):
        dataset = data.MetaDataset(source, "meta")
        stele.log_input(dataset, context="training", tags={"k": "v"})
        (found,) = stele.get_run().inputs.dataset_inputs
        again = data.get_source(found)
        assert type(again) is type(source)
        assert again.to_dict() == source.to_dict()
        assert again.to_dict() == data.get_source(found.dataset).to_dict() == data.get_source(dataset).to_dict()
        assert {tag.key: tag.value for tag in found.tags} == {"mlflow.data.context": "training", "k": "v"}

    def test_secrets_in_addresses_are_not_stored(self):
        url = "https://ann:canary@h/x.csv?page=2&X-Amz-Signature=canary&token=canary"
        assert HTTPDatasetSource(url).to_dict() == {"url": "https://h/x.csv?page=2&X-Amz-Signature=***&token=***"}
        assert S3DatasetSource("s3://key:canary@bucket/x").to_dict() == {"uri": "s3://bucket/x"}

    def test_local_data_can_be_loaded(self, workplace):
        (workplace / "x.csv").write_text("a\n1\n")
        path = data.from_pandas(FRAME, source=str(workplace / "x.csv")).source.load()
        assert pd.read_csv(path)["a"].tolist() == [1]

    def test_code_cannot_be_loaded(self):
        with pytest.raises(NotImplementedHere):
            CodeDatasetSource().load()

    @pytest.mark.parametrize("given", [42, object()])
    def test_what_is_no_source_is_refused(self, given):
        with pytest.raises(InvalidParameterValue, match="source"):
            data.from_pandas(FRAME, source=given)

    def test_unknown_kinds_and_broken_texts_are_refused(self):
        entity = stele.entities.Dataset("n", "d", "carrier pigeon", "{}")
        with pytest.raises(InvalidParameterValue, match="carrier pigeon"):
            data.get_source(entity)
        with pytest.raises(InvalidParameterValue):
            LocalArtifactDatasetSource.from_json("[]")
        with pytest.raises(InvalidParameterValue, match="uri"):
            LocalArtifactDatasetSource.from_json("{}")
        with pytest.raises(InvalidParameterValue):
            data.get_source("dataset")

    @pytest.mark.parametrize("arguments", [{}, {"path": "/a", "table_name": "b"}])
    def test_spark_sources_are_one_thing(self, arguments):
        with pytest.raises(InvalidParameterValue):
            SparkDatasetSource(**arguments)
        with pytest.raises(InvalidParameterValue):
            DeltaDatasetSource(arguments.get("path"), arguments.get("table_name"))


class HubDataset:
    """The part of ``datasets.Dataset`` that is used, backed by pandas."""

    config_name, split, dataset_size, size_in_bytes = "default", "train", None, None

    def __init__(self, frame):
        self._frame = frame
        self.num_rows, self.column_names = len(frame), list(frame.columns)

    def select(self, rows):
        return HubDataset(self._frame.iloc[list(rows)])

    def to_pandas(self):
        return self._frame


def test_datasets_of_hugging_face():
    dataset = data.from_huggingface(HubDataset(FRAME), path="owner/name", targets="y", revision="main")
    assert isinstance(dataset, HuggingFaceDataset)
    assert json.loads(dataset.to_dict()["source"])["path"] == "owner/name"
    assert dataset.to_dict()["source_type"] == "hugging_face"
    assert dataset.profile["num_rows"] == 3
    assert [column.name for column in dataset.schema.inputs] == ["f", "y"]
    with pytest.raises(InvalidParameterValue, match="targets"):
        data.from_huggingface(HubDataset(FRAME), targets="none")
    assert data.from_huggingface(HubDataset(FRAME)).to_dict()["source_type"] == "code"


def test_several_inputs_at_once():
    first, second = data.from_pandas(FRAME, name="a"), data.from_numpy(np.zeros(2), name="b")
    with stele.start_run() as run:
        stele.log_inputs([first, second], ["training", "test"], [{"k": "v"}, None])
        stele.log_metric("auc", 0.9, dataset=first)
        with pytest.raises(InvalidParameterValue, match="contexts"):
            stele.log_inputs([first], ["a", "b"])
        with pytest.raises(InvalidParameterValue, match="no dataset"):
            stele.log_input(FRAME)
    inputs = stele.get_run(run.info.run_id).inputs.dataset_inputs
    assert {item.dataset.name: item.dataset.digest for item in inputs} == {"a": first.digest, "b": second.digest}
    found = stele.search_runs(filter_string="datasets.name = 'a'", output_format="list")
    assert [item.info.run_id for item in found] == [run.info.run_id]


def test_the_table_of_sources_says_what_the_classes_say():
    assert {cls._get_source_type(): cls for cls in BY_TYPE.values()} == BY_TYPE
