"""What only a repository on disk does: permissions, crashes, foreign files, a full disk."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from stele.artifacts import open_repository
from stele.artifacts.files import file_errors
from stele.artifacts.local import LocalRepository, local_root
from stele.artifacts.paths import RESERVED
from stele.errors import Conflict, DoesNotExist, InvalidParameterValue, PermissionDenied, SteleError, Unavailable
from unit.artifacts.payloads import PAYLOADS

MIB = 1024 * 1024


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def repository(root: Path) -> LocalRepository:
    return LocalRepository(root)


def content_of(directory: Path) -> dict[str, bytes | None]:
    return {
        str(file.relative_to(directory)): file.read_bytes() if file.is_file() else None
        for file in sorted(directory.rglob("*"))
    }


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_no_payload_touches_anything_outside(
    tmp_path: Path, root: Path, repository: LocalRepository, payload: str
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "root-secret").write_bytes(b"secret")
    repository.write("mine", [b"mine"])
    outside = {name: content for name, content in content_of(tmp_path).items() if not name.startswith("root/")}
    calls: tuple[Callable[[], object], ...] = (
        lambda: repository.open_read(payload).read(),
        lambda: repository.list(payload),
        lambda: repository.versions(payload),
        lambda: repository.stat(payload),
        lambda: repository.write(payload, [b"evil"]),
        lambda: repository.delete(payload),
    )
    for call in calls:
        with suppress(InvalidParameterValue, DoesNotExist):
            assert call() != b"secret"
    after = {name: content for name, content in content_of(tmp_path).items() if not name.startswith("root/")}
    assert after == outside


class TestPermissions:
    def test_nobody_else_may_write_even_without_umask(self, root: Path, repository: LocalRepository) -> None:
        old = os.umask(0)
        try:
            repository.write("a/b/f", [b"1"])
            repository.write("a/b/f", [b"2"])
        finally:
            os.umask(old)
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [root, *root.rglob("*")]}
        assert len(modes) >= 7
        assert not {path: oct(mode) for path, mode in modes.items() if mode & 0o027}

    def test_a_stricter_umask_holds(self, root: Path, repository: LocalRepository) -> None:
        old = os.umask(0o077)
        try:
            repository.write("a/f", [b"1"])
        finally:
            os.umask(old)
        assert not any(path.stat().st_mode & 0o077 for path in root.rglob("*"))

    @pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
    def test_a_directory_that_must_not_be_written(self, root: Path, repository: LocalRepository) -> None:
        root.mkdir(mode=0o500)
        with pytest.raises(PermissionDenied, match="does not allow"):
            repository.write("f", [b"x"])


class TestForeignFiles:
    def test_a_file_that_somebody_else_put_there(self, root: Path, repository: LocalRepository) -> None:
        root.mkdir()
        (root / "f").write_bytes(b"foreign")
        info = repository.stat("f")
        assert info is not None
        assert (info.file_size, info.sha256, info.version) == (7, None, 1)
        assert repository.open_read("f").read() == b"foreign"
        repository.write("f", [b"ours"])
        assert [(v.version, v.sha256 is None, v.current) for v in repository.versions("f")] == [
            (1, True, False),
            (2, False, True),
        ]
        assert repository.open_read("f", version=1).read() == b"foreign"

    def test_an_edited_file_has_no_digest_rather_than_a_wrong_one(
        self, root: Path, repository: LocalRepository
    ) -> None:
        repository.write("f", [b"ours"])
        (root / "f").write_bytes(b"edit")
        os.utime(root / "f", ns=(1, 1))
        info = repository.stat("f")
        assert info is not None
        assert (info.sha256, info.version) == (None, 2)
        repository.write("f", [b"new"])
        assert [v.version for v in repository.versions("f")] == [2, 3]  # nobody kept what was edited over
        assert repository.open_read("f", version=2).read() == b"edit"

    @pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'[{"version": "x"}]', b"\xff"])
    def test_a_damaged_record_costs_the_digest_only(
        self, root: Path, repository: LocalRepository, damage: bytes
    ) -> None:
        repository.write("f", [b"1"])
        (root / RESERVED / "f.json").write_bytes(damage)
        info = repository.stat("f")
        assert info is not None
        assert info.sha256 is None
        repository.write("f", [b"2"])
        assert repository.open_read("f").read() == b"2"
        assert repository.open_read("f", version=1).read() == b"1"

    def test_what_is_neither_file_nor_directory_is_not_there(self, root: Path, repository: LocalRepository) -> None:
        root.mkdir()
        os.mkfifo(root / "pipe")
        (root / "dangling").symlink_to("nothing")
        (root / "out").symlink_to("/etc")
        (root / "bad#name").write_text("x")
        (root / b"bad\xff".decode(errors="surrogateescape")).write_text("x")
        assert repository.list() == []
        assert repository.stat("pipe") is None
        with pytest.raises(DoesNotExist):
            repository.open_read("pipe")
        with pytest.raises(InvalidParameterValue, match="link"):
            repository.list("out")

    def test_a_link_is_removed_and_not_what_it_leads_to(self, root: Path, repository: LocalRepository) -> None:
        repository.write("kept/f", [b"x"])
        (root / "link").symlink_to("kept")
        assert [info.path for info in repository.list("link")] == ["link/f"]
        repository.delete("link")
        assert [info.path for info in repository.list()] == ["kept"]
        assert repository.open_read("kept/f").read() == b"x"


class TestFailures:
    def test_a_full_disk_is_told_and_leaves_nothing(self, root: Path, repository: LocalRepository) -> None:
        repository.write("old", [b"old"])
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, limits[1]))
        try:
            for path in ("new", "old"):
                with pytest.raises(Unavailable, match="disk is full"):
                    repository.write(path, (b"x" * MIB for _ in range(3)))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert [info.path for info in repository.list()] == ["old"]
        assert repository.open_read("old").read() == b"old"
        assert not list(root.rglob("*.tmp"))

    def test_a_killed_writer_leaves_the_old_file(self, root: Path, repository: LocalRepository) -> None:
        repository.write("f", [b"old"])
        program = (
            "import sys, pathlib\n"
            "from stele.artifacts.local import LocalRepository\n"
            "def chunks():\n"
            "    yield b'x' * 100\n"
            "    print('half', flush=True)\n"
            "    sys.stdin.read()\n"
            "LocalRepository(pathlib.Path(sys.argv[1])).write('f', chunks())\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"half\n"
            writer.kill()
        assert [info.path for info in repository.list()] == ["f"]
        assert repository.open_read("f").read() == b"old"
        repository.write("f", [b"new"])
        assert [v.version for v in repository.versions("f")] == [1, 2]

    @pytest.mark.parametrize("crash_at", ["utime", "replace-record", "replace-file"])
    def test_a_crash_between_any_two_steps_loses_nothing(
        self, root: Path, repository: LocalRepository, monkeypatch: pytest.MonkeyPatch, crash_at: str
    ) -> None:
        class Crash(BaseException):
            pass

        repository.write("f", [b"one"])
        real = os.replace

        def replace(source: Path, target: Path) -> None:
            if Path(target).name == ("f.json" if crash_at == "replace-record" else "f"):
                raise Crash
            real(source, target)

        def utime(*_: object, **__: object) -> None:
            raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(os, "utime" if crash_at == "utime" else "replace", utime if crash_at == "utime" else replace)
            with pytest.raises(Crash):
                repository.write("f", [b"two"])
        assert repository.open_read("f").read() == b"one"
        assert [(v.version, v.current) for v in repository.versions("f")] == [(1, True)]
        repository.write("f", [b"three"])
        versions = repository.versions("f")
        assert [repository.open_read("f", version=v.version).read() for v in versions] == [b"one", b"three"]

    def test_another_process_takes_its_turn(self, root: Path, repository: LocalRepository) -> None:
        repository.write("f", [b"0"])
        program = (
            "import sys, pathlib\n"
            "from stele.artifacts.local import LocalRepository\n"
            "repository = LocalRepository(pathlib.Path(sys.argv[1]))\n"
            "for i in range(20): repository.write('f', [sys.argv[2].encode(), str(i).encode()])\n"
        )
        writers = [subprocess.Popen([sys.executable, "-c", program, str(root), name]) for name in "abc"]
        assert [writer.wait(60) for writer in writers] == [0, 0, 0]
        versions = repository.versions("f")
        assert [v.version for v in versions] == list(range(1, 62))
        contents = {repository.open_read("f", version=v.version).read() for v in versions}
        assert contents == {b"0"} | {f"{name}{i}".encode() for name in "abc" for i in range(20)}


class TestUris:
    @pytest.mark.parametrize(
        ("uri", "expected"),
        [
            ("/data/a b", "/data/a b"),
            ("relative/a", "relative/a"),
            ("file:///data/a%20b", "/data/a b"),
            ("file:/data", "/data"),
            ("file://localhost/data", "/data"),
            ("FILE:///data", "/data"),
            ("file:relative", "relative"),
            ("/data/100%25", "/data/100%25"),
        ],
    )
    def test_the_root(self, uri: str, expected: str) -> None:
        assert local_root(uri) == Path(expected)

    def test_another_machine_is_refused(self) -> None:
        with pytest.raises(InvalidParameterValue, match="machine"):
            open_repository("file://host/share")

    @pytest.mark.parametrize("uri", ["s3://bucket/x", "http://host/x", "dbfs:/x"])
    def test_an_unknown_scheme(self, uri: str) -> None:
        with pytest.raises(InvalidParameterValue, match="Unknown artifact scheme"):
            open_repository(uri)

    def test_opening_makes_nothing(self, tmp_path: Path) -> None:
        repository = open_repository(str(tmp_path / "none"))
        assert repository.list() == []
        assert not (tmp_path / "none").exists()
        repository.write("f", [b"x"])
        assert open_repository(repository.uri).open_read("f").read() == b"x"


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Odd relative paths must not land in the source tree."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOSPC, Unavailable),
        (errno.EDQUOT, Unavailable),
        (errno.EACCES, PermissionDenied),
        (errno.EROFS, PermissionDenied),
        (errno.ENAMETOOLONG, InvalidParameterValue),
        (errno.ENOTDIR, InvalidParameterValue),
        (errno.ENOENT, Conflict),
        (errno.EIO, SteleError),
    ],
)
def test_errors_of_the_system_become_ours(code: int, expected: type[SteleError]) -> None:
    with pytest.raises(SteleError, match="the/file") as caught, file_errors("the/file"):
        raise OSError(code, os.strerror(code))
    assert type(caught.value) is expected
