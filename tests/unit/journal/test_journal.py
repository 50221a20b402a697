"""The files of a journal: what was appended is read again, however the process ended."""

import itertools
import json
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal_tools import SOURCES, adopted
from stele.errors import InvalidParameterValue
from stele.schema.runs import LogBatch, Param
from stele.stores.journal import files, thinning
from stele.stores.journal.journal import Journal
from stele.stores.journal.segments import MARK_OFFSET, MARKS, RECORD_SHIFT, SEGMENT_BYTES, SEGMENT_RECORDS, Segments
from stele.stores.journal.thinning import thin


def points(journal, stop=None):
    """Run, key, step and value of every record, in order."""
    records, _, _ = journal.segments.read(0, journal.end()[0] if stop is None else stop)
    return [(*journal.name(series), step, value) for series, step, _, value, _ in records.tolist() if series]


def leave(journal):
    """Let go of a journal as the end of its process does."""
    journal.close(remove=False)


def test_what_was_appended_is_read_again(uri):
    journal = Journal.create(uri)
    one, two = journal.appender("r1", "loss"), journal.appender("r2", "naïve / ключ")
    assert [one(0.5, 1), two(float("nan"), -(2**63)), one(-0.0, 2**63 - 1, 7)] == [0, 1, 2]
    leave(journal)
    again = adopted(uri)
    assert repr(points(again)) == repr(
        [("r1", "loss", 1, 0.5), ("r2", "naïve / ключ", -(2**63), float("nan")), ("r1", "loss", 2**63 - 1, -0.0)]
    )
    assert again.segments.read(2, 3)[0]["timestamp"].tolist() == [7]
    leave(again)


def test_one_appender_per_series(uri):
    journal = Journal.create(uri)
    assert journal.appender("r", "x") is journal.appender("r", "x")
    assert journal.appender("r", "x") is not journal.appender("s", "x")
    leave(journal)


@pytest.mark.parametrize("arguments", [("no",), (None,), (1.0, 2**63), (1.0, 1.5), (10**400,), (1.0, 0, "now")])
def test_what_is_no_point_is_refused_and_leaves_no_hole(uri, arguments):
    journal = Journal.create(uri)
    append = journal.appender("r", "x")
    append(1.0)
    with pytest.raises((TypeError, OverflowError, struct.error)):
        append(*arguments)
    append(2.0)
    assert [value for *_, value in points(journal)] == [1.0, 2.0]
    assert len(journal.segments.read(0, journal.end()[0])[2]) == 0
    leave(journal)


def test_records_of_many_threads_are_all_there(uri):
    journal = Journal.create(uri)
    count = SEGMENT_RECORDS // 3

    def work(number):
        append = journal.appender("r", f"k{number}")
        for step in range(count):
            append(0.5, step)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    leave(journal)
    again = adopted(uri)
    found = points(again)
    assert len(found) == 4 * count
    assert {(key, step) for _, key, step, _ in found} == set(
        itertools.product([f"k{number}" for number in range(4)], range(count))
    )
    leave(again)


def test_a_record_without_its_mark_is_not_read(uri):
    journal = Journal.create(uri)
    append = journal.appender("r", "x")
    for step in range(3):
        append(0.5, step)
    struct.pack_into("<I", journal.segments.buffers[0], (1 << RECORD_SHIFT) + MARK_OFFSET, 0)
    records, numbers, missing = journal.segments.read(0, 3)
    assert (records["step"].tolist(), numbers.tolist(), missing.tolist()) == ([0, 2], [0, 2], [1])
    leave(journal)


def test_marks_are_never_zero_and_differ_from_those_of_neighbours():
    numbers = [*range(5), *range(MARKS - 3, MARKS + 3), 10 * MARKS - 1]
    marks = [number % MARKS + 1 for number in numbers]
    assert min(marks) >= 1
    assert max(marks) <= 2**32 - 1
    assert all(one != two for one, two in itertools.pairwise(marks))


def test_a_line_that_was_being_written_is_not_read(uri):
    journal = Journal.create(uri)
    journal.appender("r", "x")(1.0)
    journal.submit("log_batch", LogBatch(run_id="r", params=[Param("p", "1")]), ordered=False)
    leave(journal)
    for name in (files.SERIES, files.OPERATIONS):
        with (journal.directory / name).open("ab") as file:
            file.write(b'{"half')
    again = adopted(uri)
    assert again.series_count() == 1
    assert again.operations[1].name == "log_batch"
    leave(again)


def test_a_piece_that_was_being_made_is_not_read(uri):
    journal = Journal.create(uri)
    journal.appender("r", "x")(1.0)
    leave(journal)
    (journal.directory / "00000001-1.points").write_bytes(bytes(SEGMENT_BYTES // 2))
    again = adopted(uri)
    assert again.end()[0] == 1
    leave(again)


def test_the_end_is_known_while_the_sender_removes_pieces(tmp_path):
    """Who waits asks for it several times a second; a piece that was just closed is one whose records are stored."""
    segments = Segments(tmp_path)
    for index in range(2):
        struct.pack_into("<I", segments.create(index), MARK_OFFSET, 1)
    assert segments.end() == SEGMENT_RECORDS + 1
    segments.buffers[1].close()
    assert segments.end() == 1


def test_only_one_owner(uri):
    journal = Journal.create(uri)
    assert Journal.adopt(journal.directory) is None
    leave(journal)
    first = Journal.adopt(journal.directory)
    assert Journal.adopt(journal.directory) is None
    first.close(remove=True)
    with pytest.raises(InvalidParameterValue, match="no journal"):
        Journal.adopt(journal.directory)


def test_a_journal_of_a_newer_version_is_left_alone(uri):
    journal = Journal.create(uri)
    leave(journal)
    header = json.loads((journal.directory / files.HEADER).read_text())
    (journal.directory / files.HEADER).write_text(json.dumps(header | {"format": files.FORMAT + 1}))
    with pytest.raises(InvalidParameterValue, match="format 2"):
        Journal.adopt(journal.directory)


def test_the_directories_are_private(uri):
    journal = Journal.create(uri)
    journal.appender("r", "x")(1.0)
    assert journal.directory.stat().st_mode & 0o077 == 0
    leave(journal)


def test_without_a_directory_the_journal_is_in_memory(uri, monkeypatch, workplace, caplog):
    (workplace / "file").write_text("")
    monkeypatch.setenv("STELE_JOURNAL_DIR", str(workplace / "file"))
    journal = Journal.create(uri)
    journal.appender("r", "x")(1.0, 3)
    assert points(journal) == [("r", "x", 3, 1.0)]
    assert "A crash loses" in caplog.text
    leave(journal)


def full_segments(count, series):
    """Pieces in memory with records of several series in turn, the last of them still being written."""
    segments = Segments(None)
    for index in range(count):
        segments.create(index)
        base = index * SEGMENT_RECORDS
        numbers = np.arange(base, base + SEGMENT_RECORDS)
        table = np.zeros(SEGMENT_RECORDS, [("s", "<u4"), ("t", "<i8"), ("u", "<i8"), ("v", "<f8"), ("m", "<u4")])
        table["s"], table["t"], table["m"] = 1 + numbers % series, numbers, numbers % MARKS + 1
        segments.buffers[index][:] = table.tobytes()
    return segments


@pytest.mark.parametrize("series", [1, 3, 1000, SEGMENT_RECORDS])
def test_thinning_keeps_every_second_point_of_each_series(series):
    segments = full_segments(4, series)
    before = segments.read(0, 4 * SEGMENT_RECORDS)[0]
    dropped = thin(segments, 1)
    after = segments.read(0, 4 * SEGMENT_RECORDS)[0]
    assert len(after) == len(before) - dropped
    assert sorted(segments.buffers) == [0, 1, 3]
    assert set(after["series"]) == set(before["series"])
    of_one = np.arange(SEGMENT_RECORDS, 3 * SEGMENT_RECORDS)
    of_one = of_one[of_one % series == 0]
    merged = segments.read(SEGMENT_RECORDS, 2 * SEGMENT_RECORDS)[0]
    kept = merged["step"][merged["series"] == 1]
    assert kept[0] == of_one[0]
    if series < SEGMENT_RECORDS:
        assert kept[-1] == of_one[-1]
        assert np.diff(kept).max() <= 4 * series


def test_thinning_reaches_all_parts_before_it_drops_more():
    segments = full_segments(9, 1)
    while thin(segments, 0):
        if len(segments.buffers) == 5:
            assert [segments.strides.get(index, 1) for index in sorted(segments.buffers)] == [2, 2, 2, 2, 1]
    records = segments.read(0, 9 * SEGMENT_RECORDS)[0]
    assert records["step"][0] == 0
    assert len(segments.buffers) == 2


def test_pieces_that_are_being_sent_or_written_are_not_thinned():
    segments = full_segments(3, 1)
    assert thin(segments, 2) == 0
    assert thin(segments, 1) == 0
    struct.pack_into("<I", segments.buffers[0], MARK_OFFSET, 0)
    assert thin(segments, 0) == 0


def test_a_full_journal_is_thinned_and_says_so_once(uri, monkeypatch, caplog):
    monkeypatch.setenv("STELE_JOURNAL_MAX_BYTES", str(4 * SEGMENT_BYTES))
    journal = Journal.create(uri, offline=True)
    append = journal.appender("r", "x")
    for step in range(7 * SEGMENT_RECORDS):
        append(0.5, step)
        if step % SEGMENT_RECORDS == 0:
            thinning.make_room(journal)
    last = 7 * SEGMENT_RECORDS - 1
    assert len(list(journal.directory.glob("*.points"))) <= 4
    assert caplog.text.count("is full") == 1
    leave(journal)
    again = adopted(uri)
    steps = [step for _, _, step, _ in points(again)]
    assert (steps[0], steps[-1]) == (0, last)
    assert steps == sorted(set(steps))
    leave(again)


@settings(max_examples=30)
@given(kept=st.lists(st.integers(1, 5), min_size=1, max_size=400))
def test_what_thinning_keeps_of_any_mixture(kept):
    series = np.array(kept, dtype=np.uint32)
    chosen = thinning._keep(series)
    assert chosen.tolist() == sorted(chosen.tolist())
    for number in set(kept):
        places = [i for i, item in enumerate(kept) if item == number]
        assert [i for i in chosen if kept[i] == number] == sorted({*places[::2], places[-1]})


def test_a_full_disk_stops_nobody(uri):
    """The limit on file sizes makes the system refuse to write, as a full disk does."""
    program = """
import resource, sys
from stele.stores.journal.journal import Journal
from stele.stores.journal.segments import SEGMENT_BYTES, SEGMENT_RECORDS
from stele.stores.journal.thinning import make_room
journal = Journal.create(sys.argv[1])
append = journal.appender("r", "x")
append(0.5, 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (SEGMENT_BYTES // 2, SEGMENT_BYTES // 2))
for step in range(1, 20 * SEGMENT_RECORDS):
    append(0.5, step)
    if step % SEGMENT_RECORDS == 0:
        make_room(journal)
journal.appender("r", "y")(1.0)
steps = journal.segments.read(0, journal.end()[0])[0]["step"]
print(len(steps), steps[0], steps[-2], len(journal.segments.buffers))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, uri], capture_output=True, text=True, check=True, env=_environment()
    )
    count, first, last, pieces = map(int, done.stdout.split())
    assert (first, last) == (0, 20 * SEGMENT_RECORDS - 1)
    assert count > 10 * SEGMENT_RECORDS
    assert pieces <= 18
    assert done.stderr.count("is full") == 2  # the disk, and then the memory


def _environment():
    import os

    return {**os.environ, "PYTHONPATH": str(SOURCES)}
