"""What every artifact repository must do, as tests: subclass the class and give it a ``repository``."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stele.artifacts import ArtifactRepository, Subtree, walk
from stele.artifacts.paths import normalise
from stele.errors import DoesNotExist, InvalidParameterValue

__all__ = ["AWKWARD_NAMES", "HOSTILE_PATHS", "ArtifactRepositoryContract"]

MIB = 1024 * 1024

AWKWARD_NAMES = (
    "with space",
    " leading and trailing ",
    "50%",
    "100%25.txt",
    "a%20b",
    "a%2Fb",
    "what?.txt",
    "a&b=c;d",
    "a+b",
    "quote'\"",
    "größe.txt",
    "e\u0301.txt",
    "数据/模型.bin",
    "📈.png",
    ".hidden",
    "a..b",
    "x" * 255,
    "é" * 127,
    "deep/" * 40 + "file",
    "images/loss+step+3+timestamp+17+ab.png",
    "<script>",
    "[a]",
    "~",
)

HOSTILE_PATHS = (
    "..",
    "../x",
    "a/../../x",
    "/etc/passwd",
    "//host/share",
    "..\\x",
    "C:/x",
    "file:///etc/passwd",
    "%2e%2e/x",
    "%252e%252e%252fx",
    "a/./b",
    "a\x00b",
    "a#b",
    ".stele/x",
    "a/.stele",
    "x" * 256,
)

_names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="#\\/:%"), min_size=1, max_size=20
)
_paths = st.lists(_names, min_size=1, max_size=3).map("/".join)


def _is_allowed(path: str) -> bool:
    try:
        return normalise(path) == path
    except InvalidParameterValue:
        return False


class _Chunk(bytes):
    """Bytes whose life is counted."""

    alive = 0
    most = 0

    def __new__(cls, size: int) -> Self:
        _Chunk.alive += 1
        _Chunk.most = max(_Chunk.most, _Chunk.alive)
        return super().__new__(cls, size)

    def __del__(self) -> None:
        _Chunk.alive -= 1


class ArtifactRepositoryContract:
    """Tests that take a ``repository``: an empty one, new for each test."""

    keeps_versions = True

    def test_a_file_comes_back(self, repository: ArtifactRepository) -> None:
        info = repository.write("a/b.txt", [b"hello ", b"", b"world"])
        digest = hashlib.sha256(b"hello world").hexdigest()
        assert (info.path, info.is_dir, info.file_size, info.sha256) == ("a/b.txt", False, 11, digest)
        with repository.open_read("a/b.txt") as reader:
            assert b"".join(reader) == b"hello world"
            assert (reader.info.path, reader.info.file_size) == ("a/b.txt", 11)
        stat = repository.stat("a/b.txt")
        assert stat is not None
        assert (stat.path, stat.file_size) == ("a/b.txt", 11)
        if self.keeps_versions:
            assert stat == reader.info == info
            assert (info.sha256, info.version) == (digest, 1)

    def test_an_empty_file(self, repository: ArtifactRepository) -> None:
        repository.write("empty", [])
        repository.write("also", [b""])
        for path in ("empty", "also"):
            assert repository.open_read(path).read() == b""
            info = repository.stat(path)
            assert info is not None
            assert (info.is_dir, info.file_size) == (False, 0)

    def test_listing(self, repository: ArtifactRepository) -> None:
        for path in ("b.txt", "a/2", "a/10", "a/c/d", "Z"):
            repository.write(path, [b"x" * len(path)])
        assert [(info.path, info.is_dir, info.file_size) for info in repository.list()] == [
            ("Z", False, 1),
            ("a", True, None),
            ("b.txt", False, 5),
        ]
        assert [info.path for info in repository.list("a")] == ["a/10", "a/2", "a/c"]
        assert [info.path for info in repository.list("a//c/")] == ["a/c/d"]
        assert [info.path for info in walk(repository)] == ["Z", "b.txt", "a/10", "a/2", "a/c/d"]
        assert [info.path for info in walk(repository, "a/c/d")] == ["a/c/d"]

    def test_what_is_not_there(self, repository: ArtifactRepository) -> None:
        assert repository.list() == []
        assert repository.list("none") == []
        assert repository.stat("none/at/all") is None
        assert repository.versions("none") == []
        repository.delete("none/at/all")
        with pytest.raises(DoesNotExist, match="none"):
            repository.open_read("none")
        repository.write("file", [b"x"])
        assert repository.list("file") == []
        assert repository.stat("file/below") is None
        with pytest.raises(DoesNotExist):
            repository.open_read("file/below")

    def test_a_directory_is_no_file(self, repository: ArtifactRepository) -> None:
        repository.write("a/b", [b"x"])
        info = repository.stat("a")
        assert info is not None
        assert (info.path, info.is_dir, info.file_size) == ("a", True, None)
        with pytest.raises(InvalidParameterValue, match="directory"):
            repository.open_read("a")
        with pytest.raises(InvalidParameterValue, match="directory"):
            repository.write("a", [b"x"])
        with pytest.raises(InvalidParameterValue, match="below a file"):
            repository.write("a/b/c", [b"x"])
        with pytest.raises(InvalidParameterValue, match="empty"):
            repository.write("", [b"x"])
        assert repository.open_read("a/b").read() == b"x"

    @pytest.mark.parametrize(
        ("offset", "length", "expected"),
        [(0, 4, b"0123"), (4, None, b"456789"), (3, 3, b"345"), (9, 1, b"9"), (8, 99, b"89"), (0, 99, b"0123456789")],
    )
    def test_a_part(self, repository: ArtifactRepository, offset: int, length: int | None, expected: bytes) -> None:
        repository.write("f", [b"01234", b"56789"])
        with repository.open_read("f", offset=offset, length=length) as reader:
            assert b"".join(reader) == expected
            assert reader.info.file_size == 10

    @pytest.mark.parametrize(("offset", "length"), [(10, None), (10, 1), (99, None), (-1, None), (0, 0), (5, -1)])
    def test_a_part_that_is_none(self, repository: ArtifactRepository, offset: int, length: int | None) -> None:
        repository.write("f", [b"0123456789"])
        with pytest.raises(InvalidParameterValue):
            repository.open_read("f", offset=offset, length=length)

    def test_no_part_of_an_empty_file(self, repository: ArtifactRepository) -> None:
        repository.write("f", [])
        with pytest.raises(InvalidParameterValue):
            repository.open_read("f", length=5)

    def test_deleting(self, repository: ArtifactRepository) -> None:
        for path in ("a/1", "a/b/2", "c", "d"):
            repository.write(path, [b"x"])
        repository.delete("c")
        repository.delete("c")
        assert [info.path for info in repository.list()] == ["a", "d"]
        repository.delete("a")
        assert [info.path for info in repository.list()] == ["d"]
        repository.delete("")
        assert repository.list() == []
        repository.write("a/1", [b"new"])
        assert repository.open_read("a/1").read() == b"new"

    def test_overwriting_keeps_the_old_versions(self, repository: ArtifactRepository) -> None:
        contents = [b"one", b"two", b"", b"one"]
        for content in contents:
            repository.write("a/f", [content])
        assert repository.open_read("a/f").read() == b"one"
        assert [info.path for info in repository.list("a")] == ["a/f"]
        if not self.keeps_versions:
            assert repository.versions("a/f") == []
            return
        versions = repository.versions("a/f")
        assert [version.version for version in versions] == [1, 2, 3, 4]
        assert [version.current for version in versions] == [False, False, False, True]
        for version, content in zip(versions, contents, strict=True):
            assert (version.file_size, version.sha256) == (len(content), hashlib.sha256(content).hexdigest())
            with repository.open_read("a/f", version=version.version) as reader:
                assert b"".join(reader) == content
                assert (reader.info.version, reader.info.sha256) == (version.version, version.sha256)
        assert repository.open_read("a/f", version=1, offset=1, length=1).read() == b"n"
        with pytest.raises(DoesNotExist, match="version 5"):
            repository.open_read("a/f", version=5)

    def test_the_same_content_again_is_no_new_version(self, repository: ArtifactRepository) -> None:
        first = repository.write("f", [b"same"])
        assert repository.write("f", [b"sa", b"me"]) == first
        assert len(repository.versions("f")) == (1 if self.keeps_versions else 0)

    def test_a_deleted_file_begins_anew(self, repository: ArtifactRepository) -> None:
        repository.write("f", [b"1"])
        repository.write("f", [b"2"])
        repository.delete("f")
        assert repository.versions("f") == []
        repository.write("f", [b"3"])
        assert [version.version for version in repository.versions("f")] == ([1] if self.keeps_versions else [])

    @pytest.mark.parametrize("name", AWKWARD_NAMES)
    def test_awkward_names(self, repository: ArtifactRepository, name: str) -> None:
        path = f"dir/{name}"
        content = name.encode()
        repository.write(path, [content])
        repository.write(path, [content * 2])
        assert repository.open_read(path).read() == content * 2
        assert [info.path for info in walk(repository)] == [path]
        info = repository.stat(path)
        assert info is not None
        assert (info.path, info.file_size) == (path, len(content) * 2)
        if self.keeps_versions:
            assert repository.open_read(path, version=1).read() == content
            assert len(repository.versions(path)) == 2
        repository.delete(path)
        assert repository.stat(path) is None

    @pytest.mark.parametrize("path", HOSTILE_PATHS)
    def test_hostile_paths_are_refused_everywhere(self, repository: ArtifactRepository, path: str) -> None:
        repository.write("a/x", [b"x"])
        calls = (
            lambda: repository.list(path),
            lambda: repository.stat(path),
            lambda: repository.open_read(path),
            lambda: repository.write(path, [b"evil"]),
            lambda: repository.delete(path),
            lambda: repository.versions(path),
        )
        for call in calls:
            with pytest.raises(InvalidParameterValue):
                call()
        assert [info.path for info in walk(repository)] == ["a/x"]

    @pytest.mark.parametrize("path", HOSTILE_PATHS)
    def test_a_subtree_is_not_left(self, repository: ArtifactRepository, path: str) -> None:
        repository.write("other/x", [b"secret"])
        tree = Subtree(repository, "run/artifacts")
        tree.write("mine", [b"m"])
        with pytest.raises(InvalidParameterValue):
            tree.open_read(path)
        with pytest.raises(InvalidParameterValue):
            tree.delete(path)
        with pytest.raises(InvalidParameterValue):
            tree.write(path, [b"evil"])

    def test_a_subtree(self, repository: ArtifactRepository) -> None:
        tree = Subtree(repository, "run/artifacts")
        assert tree.write("a/f", [b"1"]).path == "a/f"
        tree.write("a/f", [b"2"])
        assert [info.path for info in tree.list("a")] == ["a/f"]
        assert repository.open_read("run/artifacts/a/f").read() == tree.open_read("a/f").read() == b"2"
        with tree.open_read("a/f") as reader:
            assert reader.info.path == "a/f"
        assert tree.versions("a/f") == repository.versions("run/artifacts/a/f")
        stat = tree.stat("a/f")
        assert stat is not None
        assert stat.path == "a/f"
        repository.write("run/other", [b"x"])
        tree.delete("")
        assert [info.path for info in walk(repository)] == ["run/other"]

    def test_a_failed_write_leaves_nothing(self, repository: ArtifactRepository) -> None:
        def chunks() -> Iterator[bytes]:
            yield b"x" * MIB
            raise RuntimeError("source")

        with pytest.raises(RuntimeError, match="source"):
            repository.write("new", chunks())
        assert repository.stat("new") is None
        repository.write("old", [b"old"])
        with pytest.raises(RuntimeError, match="source"):
            repository.write("old", chunks())
        assert repository.open_read("old").read() == b"old"
        assert len(repository.versions("old")) <= 1

    def test_concurrent_writers_tear_nothing_and_lose_no_version(self, repository: ArtifactRepository) -> None:
        contents = [bytes([i]) * (100_000 + i) for i in range(12)]

        def write(content: bytes) -> None:
            half = len(content) // 2
            repository.write("dir/f", iter([content[:half], content[half:]]))
            assert repository.open_read("dir/f").read() in contents

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(write, contents))
        assert repository.open_read("dir/f").read() in contents
        if self.keeps_versions:
            numbers = [version.version for version in repository.versions("dir/f")]
            assert numbers == list(range(1, 13))
            kept = [repository.open_read("dir/f", version=number).read() for number in numbers]
            assert sorted(kept) == sorted(contents)

    def test_a_reader_is_not_disturbed_by_a_writer(self, repository: ArtifactRepository) -> None:
        repository.write("f", [b"a" * 3 * MIB])
        with repository.open_read("f") as reader:
            chunks = iter(reader)
            start = next(chunks)
            repository.write("f", [b"b" * 3 * MIB])
            assert start + b"".join(chunks) == b"a" * 3 * MIB

    def test_a_reader_can_be_left(self, repository: ArtifactRepository) -> None:
        repository.write("f", [b"a" * 3 * MIB])
        for _ in range(5):
            with repository.open_read("f") as reader:
                next(iter(reader))
        assert repository.open_read("f", offset=3 * MIB - 1).read() == b"a"

    def test_a_big_file_passes_in_constant_memory(self, repository: ArtifactRepository) -> None:
        gc.collect()
        _Chunk.most = _Chunk.alive
        before = _Chunk.alive
        size = 64
        repository.write("big", (_Chunk(MIB) for _ in range(size)))
        assert _Chunk.most - before <= 16
        received = 0
        with repository.open_read("big") as reader:
            for chunk in reader:
                assert len(chunk) <= 2 * MIB
                received += len(chunk)
        assert received == size * MIB

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.differing_executors,  # subclasses share the test on purpose
        ],
    )
    @given(files=st.dictionaries(_paths.filter(_is_allowed), st.lists(st.binary(max_size=50), max_size=3), max_size=4))
    def test_whatever_is_written_is_read(self, repository: ArtifactRepository, files: dict[str, list[bytes]]) -> None:
        tree = Subtree(repository, f"example-{next(_example)}")
        expected: dict[str, bytes] = {}
        for path, chunks in files.items():
            try:
                tree.write(path, chunks)
            except InvalidParameterValue:  # 'a' and 'a/b' in one example: one of them is a directory
                assert any(path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in expected)
                continue
            expected[path] = b"".join(chunks)
        assert {info.path: tree.open_read(info.path).read() for info in walk(tree)} == expected


_example = count()
