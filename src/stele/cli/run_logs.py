"""``stele runs logs``: what a run printed, or a log among its files, on the terminal."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from time import sleep

import click

from stele.artifacts.base import ArtifactRepository
from stele.cli import suggest
from stele.cli.finding import find_run, open_client
from stele.cli.output import is_terminal, json_option, note, show_json
from stele.cli.teaching import Command
from stele.client.console_parts import DIRECTORY, list_parts
from stele.client.console_text import Screen
from stele.errors import DoesNotExist, shown
from stele.schema.artifacts import FileInfo
from stele.schema.enums import RunStatus

__all__ = ["logs"]

_FOLLOW_SECONDS = 2.0
_BLOCK_BYTES = 1 << 20


@click.command(cls=Command, short_help="Print what a run printed.")
@click.argument("run", shell_complete=suggest.run_ids)
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until the run ends.")
@click.option("--lines", "-n", type=click.IntRange(min=0), metavar="N", help="Only the last N lines. [all]")
@click.option("--path", "-p", metavar="PATH", help="A log among the files of the run, instead of what it printed.")
@json_option
def logs(run: str, follow: bool, lines: int | None, path: str | None, as_json: bool) -> None:
    r"""Print what a run printed, as a terminal showed it: progress bars in their last form.

    It is kept of runs that ask for it: start_run(log_console=True) in Python, or STELE_ENABLE_CONSOLE_LOGGING=true.
    Where the output of this command is no terminal, colours are left out.

    \b
    stele runs logs 1f0c2a9d
    stele runs logs 1f0c2a9d --lines 20 --follow
    stele runs logs 1f0c2a9d --path logs/train.log
    stele runs logs 1f0c2a9d | grep -i warning
    """
    if follow and as_json:
        raise click.UsageError("--follow prints text as it comes; leave out --json.")
    client = open_client()
    run_id = find_run(client, run).info.run_id
    log = _Log(client.repository(run_id), path)
    if as_json:
        show_json({"run_id": run_id, "path": path or DIRECTORY, "lines": _lines(log, lines)})
        return
    output = _Output()
    if lines is not None:
        output.show(log.tail(lines))
    while True:
        # Asked first: what a run printed last is there before its end is.
        has_ended = not follow or RunStatus.is_terminated(RunStatus.from_string(client.get_run(run_id).info.status))
        for chunk in log.new():
            output.show(chunk)
        if has_ended:
            break
        output.show_unfinished()
        sleep(_FOLLOW_SECONDS)
    output.end()
    if not log.is_there:
        _tell_nothing(log.repository, run_id)


class _Log:
    """One file, or the parts of what was printed, one after the other.

    Args:
        repository: The files of the run.
        path: The file; None means the parts.
    """

    def __init__(self, repository: ArtifactRepository, path: str | None) -> None:
        self.repository = repository
        self._path = path
        self._read: dict[str, int] = {}

    @property
    def is_there(self) -> bool:
        """Whether there was anything to read."""
        return bool(self._read)

    def tail(self, count: int) -> bytes:
        """The last lines that are there now; what comes later is new."""
        tail = b""
        files = self._files()
        self._read = {file.path: file.file_size or 0 for file in files}
        for block in self._backwards(files):
            tail = block + tail
            if tail[:-1].count(b"\n") >= count:
                break
        lines = tail.split(b"\n")
        wanted = count + (not lines[-1])
        return b"\n".join(lines[-wanted:]) if count else b""

    def new(self) -> Iterator[bytes]:
        """What nobody has read yet, in pieces."""
        for file in self._files():
            begin, size = self._read.get(file.path, 0), file.file_size or 0
            if size < begin:  # another content under the same name
                begin = 0
            self._read[file.path] = begin
            if size > begin:
                with self.repository.open_read(file.path, offset=begin) as reader:
                    for chunk in reader:
                        self._read[file.path] += len(chunk)
                        yield chunk

    def _files(self) -> list[FileInfo]:
        if self._path is None:
            return list_parts(self.repository)
        file = self.repository.stat(self._path)
        if file is None or file.is_dir:
            raise DoesNotExist(f"The run has no file {shown(self._path)}. `stele artifacts list` shows those it has.")
        return [file]

    def _backwards(self, files: list[FileInfo]) -> Iterator[bytes]:
        for file in reversed(files):
            for end in range(file.file_size or 0, 0, -_BLOCK_BYTES):
                begin = max(end - _BLOCK_BYTES, 0)
                yield self.repository.open_read(file.path, offset=begin, length=end - begin).read()


class _Output:
    """Prints bytes of a log as the lines that a terminal showed.

    They are text of somebody else: they may colour the terminal, and nothing more.
    """

    def __init__(self) -> None:
        self._screen = Screen()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def show(self, content: bytes) -> None:
        """Print the lines that are finished."""
        self._screen.write(self._decoder.decode(content))
        self._print(unfinished=False)

    def show_unfinished(self) -> None:
        """Print also the line that is not finished, where it can be written over."""
        if is_terminal():
            self._print(unfinished=True)

    def end(self) -> None:
        """Print the rest."""
        self._screen.end()
        self._print(unfinished=False)

    def _print(self, *, unfinished: bool) -> None:
        while text := self._screen.cut(_BLOCK_BYTES, unfinished=unfinished):
            click.echo(text, nl=False)


def _lines(log: _Log, count: int | None) -> list[str]:
    screen = Screen()
    content = b"".join(log.new()) if count is None else log.tail(count)
    screen.write(content.decode("utf-8", "replace"))
    screen.end()
    text = "".join(iter(lambda: screen.cut(_BLOCK_BYTES, unfinished=False), ""))
    return click.unstyle(text).split("\n")[:-1]


def _tell_nothing(repository: ArtifactRepository, run_id: str) -> None:
    note(f"Nothing that run {run_id} printed is kept. Turn it on with start_run(log_console=True).")
    others = [file.path for where in ("", "logs") for file in repository.list(where) if file.path.endswith(".log")]
    if others:
        note(f"Among its files are logs: --path {others[0]}" + (f" (and {len(others) - 1} more)" * (len(others) > 1)))
