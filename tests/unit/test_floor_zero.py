"""Errors, limits, settings and the registry."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele import errors, limits, settings
from stele.errors import InvalidFilter, InvalidParameterValue, SteleError, from_wire, shown
from stele.registry import Registry

CLASSES = [value for name in errors.__all__ if isinstance(value := getattr(errors, name), type)]


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls is not errors.MissingDependency])
def test_an_error_survives_the_wire(cls):
    error = cls("what went wrong")
    body = error.to_wire()
    again = from_wire(error.status, body["error_code"], body["message"])
    assert isinstance(error, type(again))
    assert (again.status, again.error_code, again.message) == (error.status, error.error_code, error.message)


@pytest.mark.parametrize(
    ("status", "cls"),
    [(400, errors.BadRequest), (404, errors.EndpointNotFound), (503, errors.Unavailable), (418, SteleError)],
)
def test_an_answer_that_is_no_json(status, cls):
    assert type(from_wire(status, None, "x")) is cls


def test_the_numbers_of_mlflow_are_understood():
    assert SteleError("x", 1000).error_code == "INVALID_PARAMETER_VALUE"
    assert SteleError("x", 3002).get_http_status_code() == 404
    assert SteleError("x", error_code="RESOURCE_ALREADY_EXISTS", sqlstate="1").get_http_status_code() == 400
    assert SteleError.invalid_parameter_value("x").get_http_status_code() == 400
    assert errors.PayloadTooLarge("x").get_http_status_code() == 413


@given(st.text(max_size=300), st.integers(0, 300))
def test_the_caret_stands_under_the_fault(text, position):
    position = min(position, len(text))
    lines = str(InvalidFilter("Odd", text, position)).split("\n")
    assert lines[-1].endswith("^")
    column = len(lines[-1]) - 3
    if position < len(text) and text[position].isprintable() and text[position].isascii():
        assert lines[-2][2:][column] == text[position]


@given(st.text(max_size=2_000))
def test_a_shown_value_is_short(text):
    assert len(shown(text)) <= 80


@given(st.text("ab/.-_ :é1", max_size=12))
def test_an_allowed_key_is_a_path_that_stays_below_its_root(key):
    try:
        limits.check_key(key, "key")
    except InvalidParameterValue:
        return
    joined = posixpath.normpath(posixpath.join("/base", key))
    assert joined == f"/base/{key}"


@pytest.mark.parametrize("value", ["maybe", "2", "-"])
def test_a_bad_setting_names_its_variable(monkeypatch, value):
    monkeypatch.setenv("STELE_CAPTURE", value)
    with pytest.raises(InvalidParameterValue, match="STELE_CAPTURE"):
        settings.CAPTURE.get()


def test_ours_comes_before_the_twin(monkeypatch):
    assert settings.HTTP_TIMEOUT_SECONDS.get() == 120
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    assert settings.HTTP_TIMEOUT_SECONDS.get() == 7
    monkeypatch.setenv("STELE_HTTP_TIMEOUT", "9.5")
    assert settings.HTTP_TIMEOUT_SECONDS.get() == 9.5
    assert settings.HTTP_TIMEOUT_SECONDS.is_set()


def test_every_setting_is_ours_and_explained():
    names = [item.name for item in settings.SETTINGS]
    assert len(set(names)) == len(names)
    for item in settings.SETTINGS:
        assert item.name.startswith("STELE_")
        assert item.help.endswith(".")


def test_registry_loads_what_it_names_once():
    registry: Registry[type] = Registry("thing", ("stele.nothing",), {"error": "stele.errors:SteleError"})
    assert registry.get("error") is SteleError
    registry.register("mine", int)
    assert registry.names() == {"error", "mine"}
    with pytest.raises(InvalidParameterValue, match="registered already"):
        registry.register("error", int)
    with pytest.raises(InvalidParameterValue, match="Known are error, mine"):
        registry.get("other")
