"""What is expected of a filter from few hits in a sample."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from stele.search.fields import RUNS
from stele.search.grammar import parse_filter
from stele.stores.sql.search_estimate import Estimate, Leaf, comparisons
from stele.stores.sql.tables import runs


def estimate_of(filter_string: str, hits: dict[str, int], counts: dict[str, int] | None = None) -> tuple:
    """A filter, and its estimate when so many of 200 sampled runs fulfil each comparison, by key, and none two."""
    node = parse_filter(filter_string, RUNS)
    by_key = {each.field.key: each for each in comparisons(node)}
    bits = {each: 1 << place for place, each in enumerate(by_key.values())}
    masks = {bits[by_key[key]]: count for key, count in hits.items()}
    masks[0] = 200 - sum(masks.values())
    query = select(runs.c.run)
    counted = {by_key[key]: count for key, count in (counts or {}).items()}
    return node, Estimate(
        leaves={each: Leaf(query, query) for each in counted},
        counts=counted,
        bound=4_000,
        total=1_000_000,
        sampled=200,
        newest_first=True,
        masks=masks,
        bits=bits,
    )


@pytest.mark.parametrize(
    ("filter_string", "hits", "counts", "share"),
    [
        ("params.a = '1' AND params.b = '2'", {"a": 20, "b": 10}, {}, 0.1 * 0.05),
        ("params.a = '1' OR params.b = '2'", {"a": 20, "b": 10}, {}, 1 - 0.9 * 0.95),
        ("NOT params.a = '1'", {"a": 20}, {}, 0.9),
        # A single hit may be chance: 1 of 200 says nothing about a million.
        ("params.a = '1' AND params.b = '2'", {"a": 20, "b": 1}, {}, 0.0),
        ("params.a = '1' AND params.b = '2'", {"a": 20}, {}, 0.0),
        # What was counted to its end is known.
        ("params.a = '1' AND params.b = '2'", {"a": 20, "b": 1}, {"b": 100}, 0.1 * 1e-4),
        ("params.a = '1' AND params.b = '2'", {"a": 20, "b": 10}, {"b": 4_000}, 0.1 * 0.05),
    ],
)
def test_share_of_rare_matches(filter_string, hits, counts, share):
    node, estimate = estimate_of(filter_string, hits, counts)
    assert estimate.rare_share(node) == pytest.approx(share)


def test_everything_matches_no_filter():
    _, estimate = estimate_of("params.a = '1'", {})
    assert estimate.rare_share(None) == 1.0
