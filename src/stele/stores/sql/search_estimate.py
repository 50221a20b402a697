"""What a comparison finds and costs, by counts and a sample, and the cheapest way to enumerate a filter's matches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Select

from stele.search.tree import And, Compare, Node, Not, Or, conjuncts

__all__ = ["TELLING_HITS", "Choice", "Driver", "Estimate", "Leaf", "cheapest_driver", "comparisons"]

# Microseconds on SQLite; only the ratios matter.
SCANNED = 0.1
"""One entry of an index read and compared."""
PROBED = 1.2
"""One look-up of a run's param, tag or metric, runs in random order."""
PROBED_IN_ORDER = 0.45
"""The same with runs in the order of their numbers, so that the pages are at hand."""
READ = 1.0
"""One row of ``runs``."""
LISTED = 0.7
"""One run number put into a list that others are then looked up in."""

TELLING_HITS = 2
"""So many sampled runs that match tell how many there are; a single one is there by chance too often."""

_LEAST_SHARE = 0.002


def comparisons(node: Node | None) -> Iterator[Compare]:
    """Every comparison of a filter."""
    match node:
        case And(items) | Or(items):
            for item in items:
                yield from comparisons(item)
        case Not(item):
            yield from comparisons(item)
        case Compare():
            yield node


@dataclass(frozen=True)
class Leaf:
    """A comparison whose matches an index can enumerate.

    Args:
        select: The numbers of the matching runs.
        counted: What to count: the matches, or all rows of the key where they are no range of the index.
        exact: Whether ``counted`` is the matches.
        covered: Whether the index holds what is compared, so that the table need not be read.
    """

    select: Select[Any]
    counted: Select[Any]
    exact: bool = True
    covered: bool = True


@dataclass(frozen=True)
class Estimate:
    """What is known before the page is read.

    Args:
        leaves: The comparisons that can be enumerated.
        counts: How many rows each leaf counts; a bound where there were more.
        bound: That bound.
        total: Runs in the experiments, about.
        sampled: Runs looked at; fewer than asked for when there are no more.
        newest_first: Whether the newest runs are, by and large, those with the greatest numbers.
        masks: For each combination of comparisons, as bits, how many of the sampled runs fulfil just these.
        bits: The bit of each comparison.
    """

    leaves: Mapping[Compare, Leaf]
    counts: Mapping[Compare, int]
    bound: int
    total: int
    sampled: int
    newest_first: bool
    masks: Mapping[int, int]
    bits: Mapping[Compare, int]

    def fitting(self, node: Node | None) -> int:
        """How many of the sampled runs match."""
        return sum(count for mask, count in self.masks.items() if self._holds(node, mask))

    def _holds(self, node: Node | None, mask: int) -> bool:
        match node:
            case And(items):
                return all(self._holds(item, mask) for item in items)
            case Or(items):
                return any(self._holds(item, mask) for item in items)
            case Not(item):
                return not self._holds(item, mask)
            case Compare():
                return bool(mask & self.bits[node])
            case None:
                return True

    def share(self, node: Node | None) -> float:
        """The part of the runs that match, never quite nothing."""
        return max(_LEAST_SHARE, self.fitting(node) / self.sampled) if self.sampled else 1.0

    def rare_share(self, node: Node | None) -> float:
        """The part of the runs that match when hardly one of the sampled ones does.

        Comparisons are taken to have nothing to do with each other. It is 0 where one of them was neither counted nor
        met often enough in the sample.
        """
        match node:
            case None:
                return 1.0
            case And(items):
                return math.prod(map(self.rare_share, items))
            case Or(items):
                return 1.0 - math.prod(1.0 - self.rare_share(item) for item in items)
            case Not(item):
                return 1.0 - self.rare_share(item)
            case Compare():
                if node in self.counts and self.leaves[node].exact and self.counts[node] < self.bound:
                    return self.counts[node] / max(self.total, 1)
                hits = self.fitting(node)
                return hits / self.sampled if hits >= TELLING_HITS else 0.0

    def probes(self, node: Node | None) -> float:
        """Look-ups that decide about one run, on average: AND stops where one fails, OR where one holds."""
        match node:
            case None:
                return 0.0
            case Compare():
                return 1.0
            case Not(item):
                return self.probes(item)
            case And(items) | Or(items):
                expected, going_on = 0.0, 1.0
                for item in items:
                    expected += going_on * self.probes(item)
                    going_on *= self.share(item) if isinstance(node, And) else 1 - self.share(item)
                return expected

    def likely_first(self, node: Node) -> Node:
        """The same filter, with what decides most often in front."""
        match node:
            case And(items):
                return And(tuple(sorted(map(self.likely_first, items), key=self.share)))
            case Or(items):
                return Or(tuple(sorted(map(self.likely_first, items), key=self.share, reverse=True)))
            case Not(item):
                return Not(self.likely_first(item))
            case _:
                return node

    def rows(self, node: Compare) -> float:
        """Index entries to read for the matches of a leaf."""
        count = self.counts[node]
        if count < self.bound:
            return count
        return max(self.bound, self.total * (self.share(node) if self.leaves[node].exact else 1.0))

    def reading(self, node: Compare) -> float:
        """The cost of enumerating the matches of a leaf."""
        return self.rows(node) * (SCANNED if self.leaves[node].covered else PROBED + SCANNED)

    def matches(self, node: Compare) -> float:
        """The matches of a leaf."""
        return (
            self.rows(node) if self.leaves[node].exact else min(self.rows(node), self.share(node) * self.rows(node) + 1)
        )

    def listed(self, node: Node, among: float) -> bool:
        """Whether to make a list of a comparison's matches rather than to probe so many runs one by one."""
        if not isinstance(node, Compare) or node not in self.counts:
            return False
        return self.reading(node) + self.matches(node) * LISTED + among * SCANNED < among * PROBED


@dataclass(frozen=True)
class Driver:
    """A way to enumerate a superset of a node's matches.

    Args:
        selects: Queries for run numbers, to be united.
        residual: What of the node is still to be tested.
        reading: Cost of reading the run numbers.
        matches: How many these are.
        sifts: Whether it reads more rows than match, so that nothing else should be tested of them before.
        total: Cost of the whole plan.
    """

    selects: tuple[Select[Any], ...]
    residual: Node | None
    reading: float
    matches: float
    sifts: bool = False
    total: float = 0.0


@dataclass(frozen=True)
class Choice:
    """A way to read a page.

    Args:
        way: See :mod:`~stele.stores.sql.search_plan`; ``nothing`` where no run can match.
        node: The filter, with what decides most often in front.
        estimate: Of the filter; None where there is none.
        driver: Of ``drive``.
        start: The comparison that ``newest`` begins with.
        entries: How many entries of an index a ``walk`` may have to read.
    """

    way: Literal["nothing", "drive", "newest", "sort", "walk"]
    node: Node | None
    estimate: Estimate | None = None
    driver: Driver | None = None
    start: Compare | None = None
    entries: int = 0


def cheapest_driver(node: Node | None, estimate: Estimate) -> Driver | None:
    """The best index to start from; None when no index bounds the matches."""
    match node:
        case Compare():
            return _leaf_driver(node, estimate)
        case And(items):
            return _and_driver(items, estimate)
        case Or(items):
            return _or_driver(node, estimate)
        case _:
            return None


def _leaf_driver(node: Compare, estimate: Estimate) -> Driver | None:
    if node not in estimate.counts:
        return None
    leaf = estimate.leaves[node]
    driver = Driver((leaf.select,), None, estimate.reading(node), estimate.matches(node), sifts=not leaf.exact)
    return _with_total(driver, estimate)


def _and_driver(items: tuple[Node, ...], estimate: Estimate) -> Driver | None:
    best: Driver | None = None
    for item in items:
        driver = cheapest_driver(item, estimate)
        if driver is None:
            continue
        rest = (*(other for other in items if other is not item), *conjuncts(driver.residual))
        residual = And(rest) if len(rest) > 1 else rest[0] if rest else None
        driver = _with_total(replace(driver, residual=residual), estimate)
        if best is None or driver.total < best.total:
            best = driver
    return best


def _or_driver(node: Or, estimate: Estimate) -> Driver | None:
    drivers = []
    for item in node.items:
        driver = cheapest_driver(item, estimate)
        if driver is None:
            return None
        drivers.append(driver)
    united = Driver(
        tuple(select for driver in drivers for select in driver.selects),
        None if all(driver.residual is None for driver in drivers) else node,
        sum(driver.reading for driver in drivers),
        sum(driver.matches for driver in drivers),
    )
    return _with_total(united, estimate)


def _with_total(driver: Driver, estimate: Estimate) -> Driver:
    cost = driver.reading + (driver.matches * LISTED if len(driver.selects) > 1 else 0)
    left = driver.matches
    for node in conjuncts(driver.residual):
        if estimate.listed(node, left) and isinstance(node, Compare):
            cost += estimate.reading(node) + estimate.matches(node) * LISTED + left * SCANNED
        else:
            cost += left * PROBED * estimate.probes(node)
        left *= estimate.share(node)
    return replace(driver, total=cost + left * READ)
