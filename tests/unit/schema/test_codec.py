"""The wire form of messages: an inverse, and MLflow's habits."""

from __future__ import annotations

import contextlib
import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele.errors import InvalidParameterValue
from stele.limits import INT64_MAX, INT64_MIN
from stele.schema.codec import decode, decode_query, encode, to_query
from stele.schema.metrics import GetMetricHistoryBulkInterval, Metric
from stele.schema.routes import ROUTES, by_operation, path_fields
from stele.schema.runs import LogBatch, Param, RunTag, SearchRuns

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
INT64 = st.integers(INT64_MIN, INT64_MAX)
METRICS = st.builds(
    Metric,
    key=TEXT,
    value=st.floats(),
    timestamp=INT64,
    step=INT64,
    model_id=st.none() | TEXT,
)
BATCHES = st.builds(
    LogBatch,
    run_id=TEXT.filter(bool),
    metrics=st.lists(METRICS, max_size=4),
    params=st.lists(st.builds(Param, TEXT, TEXT), max_size=3),
    tags=st.lists(st.builds(RunTag, TEXT, TEXT), max_size=3),
)


def comparable(batch: LogBatch) -> object:
    """The batch with NaN equal to itself."""
    metrics = [
        (m.key, "NaN" if math.isnan(m.value) else m.value, m.timestamp, m.step, m.model_id) for m in batch.metrics
    ]
    return batch.run_id, metrics, batch.params, batch.tags


@given(BATCHES)
def test_decode_inverts_encode(batch):
    body = encode(batch)
    assert comparable(decode(body, LogBatch)) == comparable(batch)
    json.loads(body, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@given(BATCHES)
def test_camel_case_and_nulls_mean_the_same(batch):
    raw = json.loads(encode(batch))
    raw["runId"] = raw.pop("run_id")
    raw["futureField"] = None
    for metric in raw.get("metrics", ()):
        metric["datasetName"] = None
        if "model_id" in metric:
            metric["modelId"] = metric.pop("model_id")
    assert comparable(decode(json.dumps(raw).encode(), LogBatch)) == comparable(batch)


@given(
    st.builds(
        GetMetricHistoryBulkInterval,
        metric_key=TEXT,
        run_ids=st.lists(TEXT, min_size=1, max_size=3),
        start_step=st.none() | INT64,
        end_step=st.none() | INT64,
        max_results=st.integers(1, 2_500),
    )
)
def test_query_inverts(request):
    query: dict[str, list[str]] = {}
    for name, value in to_query(request):
        query.setdefault(name, []).append(value)
    assert decode_query(query, GetMetricHistoryBulkInterval) == request


def test_unset_fields_are_not_written_and_zero_is():
    assert encode(SearchRuns()) == b"{}"
    assert json.loads(encode(Metric("k", 1.0, 0, 0))) == {"key": "k", "value": 1.0, "timestamp": 0, "step": 0}
    assert b"1.0" in encode(Metric("k", 1.0, 0, 0))


def test_null_inside_a_text_stays_text():
    tag = RunTag("k", 'null {"a": null}')
    assert json.loads(encode(tag)) == {"key": "k", "value": 'null {"a": null}'}


@pytest.mark.parametrize(
    ("value", "written"), [(math.nan, '"NaN"'), (math.inf, '"Infinity"'), (-math.inf, '"-Infinity"')]
)
def test_numbers_that_json_lacks_are_strings(value, written):
    assert f'"value":{written}'.encode() in encode(Metric("k", value, 1, 1))


@given(st.binary(max_size=200))
def test_any_bytes_give_a_message_or_a_typed_error(body):
    with contextlib.suppress(InvalidParameterValue):
        assert isinstance(decode(body, LogBatch), LogBatch)


def test_operations_and_messages_fit_together():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    for route in by_operation().values():
        fields = {field.encode_name for field in msgspec.structs.fields(route.request)}
        assert set(path_fields(route)) <= fields
