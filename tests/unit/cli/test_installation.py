"""``stele db``, ``stele config`` and ``stele doctor``."""

from __future__ import annotations

import sqlite3

from stele.client.client import Client


def test_db_check_is_content_with_a_good_database(cli, cli_json, sweep):
    found = cli_json("db", "check")
    assert found["ok"]
    assert [finding["name"] for finding in found["findings"]] == ["schema", "tables", "indexes", "integrity"]
    assert "ok  schema" in cli("db", "check", "sqlite:///stele.db").stdout


def test_db_check_finds_a_missing_index(cli, sweep, workplace):
    with sqlite3.connect(workplace / "stele.db") as connection:
        connection.execute("DROP INDEX ix_run_texts_value")
    connection.close()
    text = cli("db", "check", code=1).stdout
    assert "BAD indexes" in text
    assert "ix_run_texts_value on run_texts" in text


def test_db_check_finds_a_damaged_page(cli, sweep, workplace):
    Client().log_param(sweep[0], "p", "needle" * 900)
    from stele.client.stores import close_stores

    close_stores()  # the log is folded into the file
    file = workplace / "stele.db"
    content = bytearray(file.read_bytes())
    with sqlite3.connect(file) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_run_texts_value'").fetchone()[0]
    connection.close()
    content[(page - 1) * 4096 + 3 : (page - 1) * 4096 + 5] = b"\xff\xff"  # more cells than a page can hold
    file.write_bytes(content)
    assert "BAD integrity" in cli("db", "check", code=1).stdout


def test_db_check_refuses_another_schema_and_another_program(cli, sweep, workplace):
    with sqlite3.connect(workplace / "stele.db") as connection:
        connection.execute("UPDATE stele_schema SET version_num = '9999'")
    connection.close()
    assert "newer version of Stele" in cli("db", "check", code=1).stdout
    with sqlite3.connect(workplace / "other.db") as connection:
        connection.execute("CREATE TABLE runs (x)")
    connection.close()
    assert "another program" in cli("db", "check", "sqlite:///other.db", code=1).stdout


def test_db_check_makes_nothing(cli, workplace):
    assert "There is no file" in cli("db", "check", code=1).stderr
    assert list(workplace.iterdir()) == []


def test_db_upgrade_makes_and_leaves(cli, workplace):
    assert "before it was empty" in cli("db", "upgrade", "sqlite:///new.db").stdout
    assert "Nothing was changed" in cli("db", "upgrade", "new.db").stdout
    cli("db", "check", "new.db")


def test_config_tells_where_a_value_comes_from(cli, cli_json, monkeypatch):
    monkeypatch.setenv("STELE_POOL_SIZE", "7")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")
    monkeypatch.setenv("STELE_TRACKING_URI", "postgresql://ann:hunter2@db/stele")
    monkeypatch.setenv("STELE_HTTP_RETRIES", "many")
    found = cli_json("config", "view")
    values = {item["name"]: (item["value"], item["source"]) for item in found["settings"]}
    assert values["STELE_POOL_SIZE"] == ("7", "STELE_POOL_SIZE")
    assert values["STELE_TRACKING_PASSWORD"] == ("***", "MLFLOW_TRACKING_PASSWORD")
    assert values["STELE_SEARCH_TIMEOUT"] == ("30", "default")
    assert values["STELE_HTTP_RETRIES"][0].startswith("NOT VALID")
    assert found["tracking_uri"] == "postgresql://ann:***@db/stele"
    for words in (["config", "view"], ["config", "view", "--set"], ["config", "view", "--json"]):
        text = cli(*words).stdout
        assert "hunter2" not in text
        assert "STELE_POOL_SIZE" in text
    assert "STELE_POOL_RECYCLE" not in cli("config", "view", "--set").stdout


def test_doctor_is_content_with_a_good_installation(cli, cli_json, sweep, monkeypatch):
    monkeypatch.setenv("STELE_TRACKING_PASSWORD", "hunter2")
    monkeypatch.setenv("STELE_POOL_SIZE", "7")
    monkeypatch.delenv("STELE_CAPTURE")
    monkeypatch.delenv("STELE_JOURNAL_DIR")
    report = cli_json("doctor")
    assert {check["name"] for check in report["checks"]} >= {"store", "schema", "indexes", "files", "git", "variables"}
    assert report["settings"] == {"STELE_TRACKING_PASSWORD": "***", "STELE_POOL_SIZE": "7"}
    assert cli_json("doctor", "--mask-envs")["settings"]["STELE_POOL_SIZE"] == "***"
    assert "hunter2" not in cli("doctor").stdout


def test_doctor_makes_no_store(cli, workplace):
    assert "there is none yet" in cli("doctor").stdout
    assert list(workplace.iterdir()) == []


def test_doctor_finds_a_server_that_does_not_answer_and_a_bad_variable(cli, monkeypatch):
    monkeypatch.setenv("STELE_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("STELE_HTTP_RETRIES", "0")
    monkeypatch.setenv("STELE_SEARCH_TIMEOUT", "-1")
    text = cli("doctor", code=1).stdout
    assert "BAD store" in text
    assert "BAD variables" in text
    assert "STELE_SEARCH_TIMEOUT" in text
