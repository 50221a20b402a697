"""The fluent functions about the registry, the addresses of models, and the cache of their files."""

import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

import stele
import stele.artifacts
from stele.artifacts.digests import manifest_digest
from stele.client.locations import locate
from stele.client.model_cache import ModelCache
from stele.client.model_files import fetch_model
from stele.entities.model_registry import ModelVersion, RegisteredModel
from stele.errors import Conflict, DataLoss, DoesNotExist, InvalidParameterValue, PermissionDenied


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STELE_MODEL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def log_model(tmp_path, content="weights", name="net", *, digest=True):
    """A logged model with two files, as a flavor would log it."""
    source = tmp_path / f"source-{time.monotonic_ns()}"
    (source / "deep").mkdir(parents=True)
    (source / "MLmodel").write_text("flavors: {}")
    (source / "deep" / "w.txt").write_text(content)
    model = stele.initialize_logged_model(name)
    stele.Client().log_model_artifacts(model.model_id, str(source))
    return stele.finalize_logged_model(model.model_id, "READY", manifest_digest(source) if digest else None)


def files(directory):
    return {p.relative_to(directory).as_posix(): p.read_text() for p in Path(directory).rglob("*") if p.is_file()}


# Registering


def test_a_logged_model_is_registered_by_its_id(tmp_path):
    with stele.start_run() as run:
        model = log_model(tmp_path)
    version = stele.register_model(model.model_uri, "fraud", tags={"k": 1})
    assert isinstance(version, ModelVersion)
    assert (version.name, version.version, version.tags) == ("fraud", "1", {"k": "1"})
    assert (version.model_id, version.run_id, version.source) == (model.model_id, run.info.run_id, model.model_uri)
    assert stele.register_model(model.model_uri, "fraud").version == "2"
    registered = stele.get_logged_model(model.model_id).info.registrations
    assert [(item.name, item.version) for item in registered] == [("fraud", "1"), ("fraud", "2")]


def test_a_model_of_a_run_is_registered_by_its_name(tmp_path):
    with stele.start_run() as run:
        model = log_model(tmp_path)
        stele.log_text("pickle", "old/model.pkl")
    version = stele.register_model(f"runs:/{run.info.run_id}/net", "fraud")
    assert (version.source, version.model_id) == (model.model_uri, model.model_id)
    version = stele.register_model(f"runs:/{run.info.run_id}/old", "fraud")
    assert (version.source, version.run_id) == (f"{run.info.artifact_uri}/old", run.info.run_id)
    with pytest.raises(DoesNotExist, match="missing"):
        stele.register_model(f"runs:/{run.info.run_id}/missing", "fraud")


def test_a_version_is_copied(tmp_path):
    model = log_model(tmp_path)
    stele.register_model(model.model_uri, "fraud")
    stele.Client().set_registered_model_alias("fraud", "best", "1")
    copy = stele.Client().copy_model_version("models:/fraud@best", "production")
    assert (copy.name, copy.version, copy.source, copy.model_id) == (
        "production",
        "1",
        "models:/fraud/1",
        model.model_id,
    )
    assert stele.Client().copy_model_version("models:/fraud/1", "production").version == "2"
    with pytest.raises(InvalidParameterValue):
        stele.Client().copy_model_version("runs:/x/y", "production")


def test_searches_go_through_all_pages():
    client = stele.Client()
    for i in range(3):
        client.create_registered_model(f"m{i}", tags={"i": i})
        client.create_model_version(f"m{i}", f"s3://b/{i}")
    assert [model.name for model in stele.search_registered_models(order_by=["name DESC"])] == ["m2", "m1", "m0"]
    assert len(stele.search_registered_models(max_results=2)) == 2
    (found,) = stele.search_registered_models(filter_string="tags.i = '1'")
    assert isinstance(found, RegisteredModel)
    versions = stele.search_model_versions(filter_string="name = 'm1'")
    assert [(version.name, version.source) for version in versions] == [("m1", "s3://b/1")]


def test_everything_of_a_version_can_be_changed():
    client = stele.Client()
    client.create_registered_model("fraud", description="words")
    for _ in range(2):
        client.create_model_version("fraud", "s3://b/x", description="d")
    client.set_registered_model_tag("fraud", "k", 1)
    client.update_registered_model("fraud", "other words")
    client.update_model_version("fraud", 1, "better")
    stele.set_model_version_tag("fraud", "1", "t", 2)
    client.transition_model_version_stage("fraud", 2, "staging", reason="tested")
    client.set_model_version_tag("fraud", key="s", value=3, stage="Staging")
    client.set_registered_model_alias("fraud", "champion", 1)
    with pytest.raises(Conflict):
        client.set_registered_model_alias("fraud", "champion", 2, expected_version="2")
    found = client.get_registered_model("fraud")
    assert (found.description, found.tags, found.aliases) == ("other words", {"k": "1"}, {"champion": "1"})
    assert [version.version for version in client.get_latest_versions("fraud", ["Staging"])] == ["2"]
    assert client.get_model_version("fraud", "2").tags == {"s": "3"}
    assert client.get_model_version_by_alias("fraud", "champion").description == "better"
    client.delete_model_version_tag("fraud", "1", "t")
    client.delete_registered_model_tag("fraud", "k")
    client.delete_registered_model_alias("fraud", "champion")
    client.rename_registered_model("fraud", "scam")
    client.delete_model_version("scam", 2)
    assert client.get_model_version("scam", "1").tags == {}
    assert "Archived" in client.get_model_version_stages("scam", "1")
    client.delete_registered_model("scam")
    assert stele.search_registered_models() == []
    for arguments in ({}, {"version": "1", "stage": "Staging"}):
        with pytest.raises(InvalidParameterValue, match="version or a stage"):
            client.set_model_version_tag("scam", key="k", **arguments)


# Addresses


def test_every_address_leads_to_the_files(tmp_path):
    client = stele.Client()
    with stele.start_run() as run:
        first = log_model(tmp_path, "one")
    second = log_model(tmp_path, "two")
    for model in (first, second):
        stele.register_model(model.model_uri, "fraud")
    client.set_registered_model_alias("fraud", "champion", "1")
    client.transition_model_version_stage("fraud", "1", "Production")
    for uri, model in (
        (first.model_uri, first),
        (f"runs:/{run.info.run_id}/net", first),
        ("models:/fraud/1", first),
        ("models:/fraud/production", first),
        ("models:/fraud@champion", first),
        ("models:/fraud/latest", second),
        ("models:/fraud/2", second),
    ):
        assert locate(uri).digest == model.digest, uri
        content = "one" if model is first else "two"
        assert files(fetch_model(uri).directory) == {"MLmodel": "flavors: {}", "deep/w.txt": content}, uri
        assert stele.artifacts.load_text(f"{uri}/deep/w.txt") == content
        assert locate(f"{uri}/deep/w.txt").digest is None
        copy = stele.artifacts.download_artifacts(uri, dst_path=str(tmp_path / "copies" / uri.replace("/", "-")))
        assert files(copy)["deep/w.txt"] == content
        Path(copy, "MLmodel").write_text("mine now")
    assert [item.path for item in stele.artifacts.list_artifacts("models:/fraud/1")] == ["MLmodel", "deep"]


def test_a_version_from_files_of_a_run_has_no_digest():
    with stele.start_run() as run:
        stele.log_text("x", "old/MLmodel")
    stele.register_model(f"runs:/{run.info.run_id}/old", "fraud")
    found = fetch_model("models:/fraud/1")
    assert (found.digest, found.is_cached, files(found.directory)) == (None, False, {"MLmodel": "x"})
    stele.Client().create_model_version("fraud", f"runs:/{run.info.run_id}/old", run.info.run_id)
    assert files(fetch_model("models:/fraud/2").directory) == {"MLmodel": "x"}


@pytest.mark.parametrize("uri", ["models:/", "models:/fraud", "models:/fraud@", "models:/@x", "models:/fraud@a@b"])
def test_bad_address(uri):
    with pytest.raises(InvalidParameterValue):
        locate(uri)


def test_addresses_of_nothing(tmp_path):
    stele.Client().create_registered_model("fraud")
    for uri in ("models:/fraud/1", "models:/fraud/latest", "models:/fraud/Staging", "models:/none/1"):
        with pytest.raises(DoesNotExist):
            locate(uri)
    for uri in ("models:/fraud@none", "models:/fraud/Foo"):
        with pytest.raises(InvalidParameterValue):
            locate(uri)


def test_the_digest_outlives_the_deletion_of_the_logged_model(tmp_path):
    model = log_model(tmp_path)
    stele.register_model(model.model_uri, "fraud")
    stele.Client().delete_logged_model(model.model_id)
    assert locate("models:/fraud/1").digest == model.digest


# The cache


def counted(cache, digest, source, calls):
    def fetch(target):
        calls.append(target)
        for path, content in files(source).items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(content)

    return cache.get(digest, fetch)


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source" / "deep").mkdir(parents=True)
    (tmp_path / "source" / "a").write_text("a" * 100)
    (tmp_path / "source" / "deep" / "b").write_text("b" * 100)
    return tmp_path / "source"


def test_the_second_load_fetches_nothing(tmp_path, source):
    cache, calls, digest = ModelCache(tmp_path / "c", 10_000), [], manifest_digest(source)
    first = counted(cache, digest, source, calls)
    assert counted(cache, digest, source, calls) == first
    assert files(first) == files(source)
    assert len(calls) == 1
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o700
    assert not os.access(first / "a", os.W_OK) or os.geteuid() == 0


def test_a_load_of_a_registered_version_is_cached(tmp_path, cache):
    model = log_model(tmp_path)
    stele.register_model(model.model_uri, "fraud")
    first = fetch_model("models:/fraud/1")
    assert (first.is_cached, first.digest) == (True, model.digest)
    kept = (first.directory / "MLmodel").stat().st_ino
    assert fetch_model("models:/fraud/latest").directory == first.directory
    assert (first.directory / "MLmodel").stat().st_ino == kept
    assert cache in first.directory.parents


@pytest.mark.parametrize("change", ["content", "extra", "missing", "link", "record"])
def test_a_cache_that_was_changed_is_filled_again(tmp_path, source, change):
    cache, calls, digest = ModelCache(tmp_path / "c", 10_000), [], manifest_digest(source)
    entry = counted(cache, digest, source, calls)
    file = entry / "a"
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    if change == "content":  # of the same length, with the old times
        file.chmod(0o600)
        file.write_text("x" * 100)
        os.utime(file, ns=times)
    elif change == "extra":
        (entry / "evil.py").write_text("")
    elif change == "missing":
        file.unlink()
    elif change == "link":
        file.unlink()
        file.symlink_to(source / "a")
    else:
        (tmp_path / "c" / f"{entry.name}.json").write_text("{}")
    assert files(counted(cache, digest, source, calls)) == files(source)
    assert len(calls) == (1 if change == "record" else 2)


def test_files_with_another_digest_are_refused(tmp_path, source):
    cache, calls = ModelCache(tmp_path / "c", 10_000), []
    with pytest.raises(DataLoss, match="digest"):
        counted(cache, "sha256:" + "0" * 64, source, calls)
    assert [path.suffix for path in (tmp_path / "c").iterdir()] == [".lock"]


def test_a_tampered_store_is_noticed(tmp_path):
    model = log_model(tmp_path)
    stele.Client().open_repository(model.artifact_location).write("MLmodel", [b"evil"])
    with pytest.raises(DataLoss):
        fetch_model(model.model_uri)


def test_the_cache_is_bounded(tmp_path, source):
    cache, calls = ModelCache(tmp_path / "c", 450), []
    entries = []
    for i in range(4):
        (source / "a").write_text(str(i) * 100)
        entries.append(counted(cache, manifest_digest(source), source, calls))
        record = tmp_path / "c" / f"{entries[-1].name}.json"
        os.utime(record, (i, i) if i < 3 else None)
    (source / "a").write_text("5" * 100)
    entries.append(counted(cache, manifest_digest(source), source, calls))
    # Those that were used within the last hour stay.
    assert [entry.exists() for entry in entries] == [False, False, False, True, True]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_directory_that_others_may_enter_is_no_cache(tmp_path, source):
    (tmp_path / "c").mkdir()
    (tmp_path / "c").chmod(0o755)
    with pytest.raises(PermissionDenied, match="STELE_MODEL_CACHE_DIR"):
        counted(ModelCache(tmp_path / "c", 10_000), manifest_digest(source), source, [])
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionDenied):
        counted(ModelCache(tmp_path / "link", 10_000), manifest_digest(source), source, [])


def test_no_cache(tmp_path, monkeypatch, cache):
    monkeypatch.setenv("STELE_MODEL_CACHE_BYTES", "0")
    model = log_model(tmp_path)
    assert not fetch_model(model.model_uri).is_cached
    assert not cache.exists()


def test_threads_fetch_once(tmp_path, source):
    cache, calls, digest = ModelCache(tmp_path / "c", 10_000), [], manifest_digest(source)
    threads = [threading.Thread(target=counted, args=(cache, digest, source, calls)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def _fetch_in_process(directory, digest, source, log):
    counted(ModelCache(directory, 10_000), digest, source, calls := [])
    with log.open("a") as file:
        file.write("x" * len(calls))


def test_processes_fetch_once(tmp_path, source):
    log = tmp_path / "log"
    log.touch()
    arguments = (tmp_path / "c", manifest_digest(source), source, log)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_fetch_in_process, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert log.read_text() == "x"
