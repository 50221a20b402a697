"""Directories in both directions, their progress, and zip streams."""

from __future__ import annotations

import io
import os
import stat
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stele.artifacts import progress as progress_module
from stele.artifacts.base import Files, Reader, walk
from stele.artifacts.local import LocalRepository
from stele.artifacts.progress import NO_PROGRESS, TerminalProgress, shown_progress
from stele.artifacts.transfer import download, upload_directory, upload_file, zip_stream
from stele.errors import DoesNotExist, InvalidParameterValue, SteleError
from stele.schema.artifacts import FileInfo

MIB = 1024 * 1024
FILES = {"a.txt": b"a", "empty": b"", "deep/er/b": b"b" * 3 * MIB, "größe %41": b"c"}


class Counter:
    def __init__(self) -> None:
        self.count = 0
        self.ended = False
        self._lock = Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self.count += count

    def done(self) -> None:
        self.ended = True


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    for name, content in FILES.items():
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (source / "no-files").mkdir()
    return source


@pytest.fixture
def repository(tmp_path: Path) -> LocalRepository:
    return LocalRepository(tmp_path / "artifacts")


def content_of(directory: Path) -> dict[str, bytes]:
    return {f.relative_to(directory).as_posix(): f.read_bytes() for f in directory.rglob("*") if f.is_file()}


class TestUpload:
    def test_a_directory(self, source: Path, repository: LocalRepository) -> None:
        counter = Counter()
        assert upload_directory(repository, source, "models/m", counter) == len(FILES)
        assert {info.path for info in walk(repository)} == {f"models/m/{name}" for name in FILES}
        assert counter.count == sum(map(len, FILES.values()))

    @pytest.mark.parametrize("threads", ["0", "1", "3"])
    def test_any_number_of_threads(
        self, source: Path, repository: LocalRepository, monkeypatch: pytest.MonkeyPatch, threads: str
    ) -> None:
        monkeypatch.setenv("STELE_TRANSFER_THREADS", threads)
        assert upload_directory(repository, source) == len(FILES)

    def test_a_name_that_no_artifact_can_have_stops_it_before_it_begins(
        self, source: Path, repository: LocalRepository
    ) -> None:
        (source / "z#").write_bytes(b"x")
        with pytest.raises(InvalidParameterValue, match="z#"):
            upload_directory(repository, source)
        assert repository.list() == []

    def test_links_and_hidden_records(self, source: Path, repository: LocalRepository, tmp_path: Path) -> None:
        (tmp_path / "outside").write_bytes(b"linked")
        (source / "link").symlink_to(tmp_path / "outside")
        (source / "circle").symlink_to(source)
        (source / "deep" / ".stele").mkdir()
        (source / "deep" / ".stele" / "x.json").write_bytes(b"[]")
        upload_directory(repository, source)
        assert {info.path for info in walk(repository)} == {*FILES, "link"}
        assert repository.open_read("link").read() == b"linked"

    def test_what_is_not_there(self, repository: LocalRepository, tmp_path: Path) -> None:
        with pytest.raises(DoesNotExist, match="directory"):
            upload_directory(repository, tmp_path / "none")
        with pytest.raises(DoesNotExist, match="file"):
            upload_file(repository, tmp_path / "none", "f")
        assert repository.list() == []


class TestDownload:
    def test_a_directory(self, source: Path, repository: LocalRepository, tmp_path: Path) -> None:
        upload_directory(repository, source, "m")
        counter = Counter()
        target = tmp_path / "target" / "new"
        assert download(repository, "m", target, counter) == target / "m"
        assert content_of(target / "m") == FILES
        assert counter.count == sum(map(len, FILES.values()))
        assert download(repository, "m/deep", target) == target / "m" / "deep"
        assert download(repository, "m/a.txt", target).read_bytes() == b"a"
        assert download(repository, "", tmp_path / "all") == tmp_path / "all"
        assert content_of(tmp_path / "all" / "m") == FILES

    def test_nothing(self, repository: LocalRepository, tmp_path: Path) -> None:
        with pytest.raises(DoesNotExist, match="none"):
            download(repository, "none", tmp_path / "target")
        assert download(repository, "", tmp_path / "target") == tmp_path / "target"

    def test_nobody_else_may_write_what_arrived(
        self, source: Path, repository: LocalRepository, tmp_path: Path
    ) -> None:
        upload_directory(repository, source)
        old = os.umask(0)
        try:
            download(repository, "", tmp_path / "target")
        finally:
            os.umask(old)
        paths = [tmp_path / "target", *(tmp_path / "target").rglob("*")]
        assert not [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o022]

    def test_damage_is_found_and_not_kept(self, repository: LocalRepository, tmp_path: Path) -> None:
        repository.write("f", [b"right"])
        file = tmp_path / "artifacts" / "f"
        times = file.stat().st_mtime_ns
        file.write_bytes(b"wrong")
        os.utime(file, ns=(times, times))  # a disk that rots does not change times
        with pytest.raises(SteleError, match="damaged"):
            download(repository, "f", tmp_path / "target")
        assert list((tmp_path / "target").iterdir()) == []

    def test_one_failure_ends_it(self, repository: LocalRepository, tmp_path: Path) -> None:
        for i in range(20):
            repository.write(f"d/{i}", [b"x"])
        (tmp_path / "target" / "d" / "7").mkdir(parents=True)
        with pytest.raises(InvalidParameterValue, match="directory"):
            download(repository, "d", tmp_path / "target")


class Hostile:
    """A repository that lists what it likes."""

    uri = "hostile:"

    def __init__(self, path: str) -> None:
        self.path = path

    def list(self, path: str = "") -> Files:
        return [] if path else [FileInfo(self.path, is_dir=False)]

    def stat(self, path: str) -> FileInfo | None:
        return FileInfo(path, is_dir=False)

    def open_read(self, path: str, **_: object) -> Reader:
        return Reader(FileInfo(path, is_dir=False), iter([b"evil"]), lambda: None)

    def write(self, path: str, chunks: Iterable[bytes]) -> FileInfo:
        raise NotImplementedError

    def delete(self, path: str) -> None: ...

    def versions(self, path: str) -> list[object]:  # type: ignore[valid-type]
        return []

    def close(self) -> None: ...


@pytest.mark.parametrize(
    "path", ["../evil", "/tmp/evil", "a/../../evil", "..\\evil", "%2e%2e/evil", "link/evil", ".stele/x"]
)
def test_a_download_stays_in_its_directory_whatever_is_listed(tmp_path: Path, path: str) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "outside").mkdir()
    (target / "link").symlink_to(tmp_path / "outside")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(InvalidParameterValue):
        download(Hostile(path), "", target)  # type: ignore[arg-type]
    assert set(tmp_path.rglob("*")) == before


class TestZip:
    def test_a_directory(self, source: Path, repository: LocalRepository) -> None:
        upload_directory(repository, source, "m")
        for path, expected in (
            ("m", FILES),
            ("", {f"m/{n}": c for n, c in FILES.items()}),
            ("m/a.txt", {"a.txt": b"a"}),
        ):
            with zipfile.ZipFile(io.BytesIO(b"".join(zip_stream(repository, path)))) as archive:
                assert archive.testzip() is None
                assert {name: archive.read(name) for name in archive.namelist()} == expected

    def test_an_empty_one(self, repository: LocalRepository) -> None:
        with zipfile.ZipFile(io.BytesIO(b"".join(zip_stream(repository)))) as archive:
            assert archive.namelist() == []

    def test_what_is_not_there_is_told_before_the_first_byte(self, repository: LocalRepository) -> None:
        with pytest.raises(DoesNotExist):
            zip_stream(repository, "none")

    def test_it_is_made_while_it_is_read(self, repository: LocalRepository) -> None:
        repository.write("big", (os.urandom(MIB) for _ in range(32)))
        largest = max(len(chunk) for chunk in zip_stream(repository))
        assert largest < 3 * MIB

    def test_it_can_be_left(self, repository: LocalRepository) -> None:
        repository.write("big", (os.urandom(MIB) for _ in range(4)))
        chunks = zip_stream(repository)
        next(chunks)
        assert isinstance(chunks, Iterator)
        chunks.close()  # type: ignore[attr-defined]

    @given(st.dictionaries(st.from_regex(r"[a-zé ]{1,4}x", fullmatch=True), st.binary(max_size=2_000), max_size=5))
    def test_whatever_goes_in_comes_out(
        self, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
    ) -> None:
        repository = LocalRepository(tmp_path_factory.mktemp("zip"))
        for name, content in files.items():
            repository.write(name, [content])
        with zipfile.ZipFile(io.BytesIO(b"".join(zip_stream(repository)))) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == files


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress:
    @pytest.fixture
    def terminal(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
        def replace() -> Terminal:  # in the test itself: pytest has a stream of its own for every phase
            terminal = Terminal()
            monkeypatch.setattr(sys, "stderr", terminal)
            return terminal

        monkeypatch.setenv("TERM", "xterm")
        return replace

    def test_a_pipe_sees_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pipe = io.StringIO()
        monkeypatch.setattr(sys, "stderr", pipe)
        with shown_progress("Uploading", 10**9, 100) as progress:
            assert progress is NO_PROGRESS
            progress.add(10**9)
        assert pipe.getvalue() == ""

    def test_it_can_be_turned_off(self, terminal: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch) -> None:
        terminal()
        monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        with shown_progress("Uploading", 10**9) as progress:
            assert progress is NO_PROGRESS

    @pytest.mark.parametrize(("size", "files"), [(10**8, 1), (5, 11)])
    def test_much_is_shown_at_once(self, terminal: Callable[[], Terminal], size: int, files: int) -> None:
        screen = terminal()
        with shown_progress("Uploading", size, files) as progress:
            progress.add(1)
        assert "Uploading" in screen.getvalue()

    def test_little_is_shown_only_when_it_takes_long(
        self, terminal: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        screen = terminal()
        now = 100.0
        monkeypatch.setattr(progress_module, "monotonic", lambda: now)
        with shown_progress("Downloading", 100, 1) as progress:
            assert isinstance(progress, TerminalProgress)
            now = 100.9
            progress.add(1)
            assert screen.getvalue() == ""
            now = 101.0
            progress.add(1)
        assert "Downloading" in screen.getvalue()
