"""Long lists of points: objects for Python, rows for JSON."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from stele.schema.codec import decode, encode
from stele.schema.metrics import (
    GetMetricHistoryBulkResponse,
    GetMetricHistoryResponse,
    Metric,
    MetricColumns,
    MetricRows,
    MetricWithRunId,
)

_points = st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(-(2**63), 2**63 - 1), st.floats()), max_size=8)
_keys = st.sampled_from(["loss", "null", 'a "quoted" key', "valLoss", "NaN", "ä"])


@given(_keys, _points)
def test_rows_are_read_back_as_metrics(key, points):
    columns = [list(column) for column in zip(*points, strict=True)] or [[], [], []]
    rows = MetricRows([MetricColumns(key, *columns)])
    metrics = [Metric(key, value, timestamp, step) for timestamp, step, value in points]
    assert len(rows) == len(metrics)
    assert list(map(str, rows)) == list(map(str, metrics))
    body = encode(GetMetricHistoryResponse(metrics=rows, next_page_token="more"))
    assert json.loads(body) == json.loads(encode(GetMetricHistoryResponse(metrics=metrics, next_page_token="more"))) | (
        {} if metrics else {"metrics": []}
    )
    found = decode(body, GetMetricHistoryResponse)
    assert list(map(str, found.metrics)) == list(map(str, metrics))


def test_rows_of_several_runs():
    series = [MetricColumns("loss", [7, 8], [1, 2], [0.5, math.inf], "a"), MetricColumns("loss", [9], [3], [1.0], "b")]
    rows = MetricRows(series)
    expected = [
        MetricWithRunId("loss", 0.5, 7, 1, "a"),
        MetricWithRunId("loss", math.inf, 8, 2, "a"),
        MetricWithRunId("loss", 1.0, 9, 3, "b"),
    ]
    assert rows == expected
    assert (rows[0], rows[1:], len(rows)) == (expected[0], expected[1:], 3)
    assert decode(encode(GetMetricHistoryBulkResponse(metrics=rows)), GetMetricHistoryBulkResponse).metrics == expected


def test_json_is_mlflows():
    rows = MetricRows([MetricColumns("k", [5, 6, 7], [0, -1, 2], [math.nan, -math.inf, 1e300])])
    assert encode(GetMetricHistoryResponse(metrics=rows)) == (
        b'{"metrics":[{"key":"k","value":"NaN","timestamp":5,"step":0},'
        b'{"key":"k","value":"-Infinity","timestamp":6,"step":-1},{"key":"k","value":1e300,"timestamp":7,"step":2}]}'
    )


def test_camel_case_is_still_read_beside_numbers_that_are_none():
    body = b'{"metrics":[{"key":"k","value":"NaN","timestamp":5,"step":0,"runId":"r"}],"nextPageToken":"Infinity"}'
    found = decode(body, GetMetricHistoryResponse)
    assert (found.metrics[0].run_id, found.next_page_token) == ("r", "Infinity")
