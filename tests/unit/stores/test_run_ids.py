"""Ids of runs: unlike each other, and with colours in turn."""

from __future__ import annotations

import re

from stele.stores.run_ids import RUN_COLORS, new_run_id


def test_neighbours_have_different_colours():
    ids = [new_run_id() for _ in range(RUN_COLORS)]
    assert {int(run_id[-4:], 16) % RUN_COLORS for run_id in ids} == set(range(RUN_COLORS))


def test_ids_are_hexadecimal_and_unlike():
    ids = {new_run_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(re.fullmatch("[0-9a-f]{32}", run_id) for run_id in ids)
