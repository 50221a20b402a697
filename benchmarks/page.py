"""The web page in headless Chromium, beside MLflow's on the same runs: the table of runs."""

from __future__ import annotations

import statistics
import urllib.request
from collections.abc import Iterator
from typing import NamedTuple

from playwright.sync_api import Browser

from benchmarks.browser import Visit, chromium
from benchmarks.page_curves import curve_rows, live_rows
from benchmarks.results import Row
from benchmarks.search_data import MODELS
from benchmarks.search_stores import EXPERIMENT, our_search_store, search_folder, their_search_store
from benchmarks.servers import mlflow_server, stele_server
from benchmarks.setting import Setting
from stele.server.ui import BUILD

__all__ = ["page_rows"]

_OUR_FIRST_VIEW_KB = 200
_OUR_EVERYTHING_KB = 300
_OPEN_SECONDS = {10_000: 0.5, 100_000: 0.6}
_CHANGE_MS = 150
_MOST_NODES = 3_000


class _Table(NamedTuple):
    """How to find one's way in a page with a table of runs; functions of JavaScript.

    Attributes:
        address: Of the runs, behind that of the server.
        shown: Whether a screen of rows with the values of their columns is there.
        top: The name of the run that stands first.
        scroller: The element that scrolls.
        sort: Puts the rows into another order, and returns the name of the first one before.
        filter: The field that a filter is written into.
    """

    address: str
    shown: str
    top: str
    scroller: str
    sort: str
    filter: str


_OURS = _Table(
    f"/#/experiments/{EXPERIMENT}/runs",
    """() => {
      const rows = document.querySelectorAll(".tbody [role=row]:not(.sk)");
      const last = rows[19];
      return last && [...last.querySelectorAll("[role=gridcell]")].filter((cell) => cell.textContent).length > 8;
    }""",
    """() => document.querySelector('.tbody [role=row][aria-rowindex="2"] .name a')?.textContent""",
    """() => document.querySelector("[role=grid]")""",
    """() => {
      const top = document.querySelector('.tbody [role=row][aria-rowindex="2"] .name a').textContent;
      const heads = [...document.querySelectorAll("[role=columnheader] .head-name")];
      heads.find((head) => head.title === "KEY").click();
      return top;
    }""",
    """() => document.querySelector('[role=combobox][aria-label="Filter"]')""",
)
_THEIRS = _Table(
    _OURS.address,
    """() => {
      const columns = [".ag-pinned-left-cols-container", ".ag-center-cols-container"];
      const shown = (place) => document.querySelectorAll(`${place} [role=gridcell]:not(:empty)`).length;
      return columns.every((place) => shown(place) > 40);
    }""",
    """() => document.querySelector('.ag-pinned-left-cols-container [row-index="0"] a')?.textContent""",
    """() => document.querySelector(".ag-body-viewport")""",
    """() => {
      const top = document.querySelector('.ag-pinned-left-cols-container [row-index="0"] a').textContent;
      document.querySelector('[data-testid="sort-header-KEY"]').click();
      return top;
    }""",
    """() => document.querySelector('input[data-testid="search-box"]')""",
)

_FILTER = """() => {
  const input = (INPUT)();
  const top = (TOP)();
  const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  write.call(input, FILTER);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  return new Promise((resolve) => setTimeout(resolve)).then(() => {
    bench.since = performance.now();
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 13, which: 13, bubbles: true }));
    return bench.until(() => ((name) => name && name !== top)((TOP)()), bench.since);
  });
}"""

# From one end to the other in so many frames, as who drags the bar; then some screens as who turns the wheel.
_SCROLL = """async () => {
  const box = (SCROLLER)();
  const frame = () => new Promise(requestAnimationFrame);
  bench.longTasks.length = 0;
  let nodes = 0;
  const go = async (to) => {
    box.scrollTop = to;
    await frame();
    nodes = Math.max(nodes, document.getElementsByTagName("*").length);
  };
  const end = box.scrollHeight - box.clientHeight;
  for (let i = 0; i <= 240; i++) await go((end * i) / 240);
  for (let i = 1; i <= 120; i++) await go(end - i * 120);
  await new Promise((resolve) => setTimeout(resolve, 300));
  return [bench.longTasks.length, nodes, Math.max(0, ...bench.longTasks)];
}"""


def page_rows(setting: Setting) -> Iterator[Row]:
    """Everything about the page."""
    with chromium() as browser:
        for number, runs in enumerate(setting.sizes.page_runs):
            yield from _table_rows(setting, browser, runs, beside=number == 0)
        yield from curve_rows(setting, browser)
        yield from live_rows(setting, browser)


class _Figures(NamedTuple):
    """What a page with a table of runs costs."""

    script_kb: float
    all_kb: float
    open_s: float
    busy_s: float
    sort_ms: float
    again_ms: float
    filter_ms: float
    long_tasks: float
    longest_ms: float
    nodes: float


def _table_rows(setting: Setting, browser: Browser, runs: int, *, beside: bool) -> Iterator[Row]:
    folder = search_folder(setting, runs)
    ours_uri = f"sqlite:///{our_search_store(folder, runs)}"
    rounds = setting.sizes.page_rounds
    with stele_server(folder, ours_uri) as server:
        ours = _figures(browser, server.url, _OURS, ("f1", "acc", "epoch", "auc", "loss"), rounds)
        every_kb = _every_script(server.url) if beside else 0.0
    theirs = None
    if beside:
        theirs_uri = f"sqlite:///{their_search_store(setting.theirs, folder)}"
        with mlflow_server(setting.theirs, folder, theirs_uri) as server:
            theirs = _figures(browser, server.url, _THEIRS, ("Created",) * 2, min(rounds, 3))

    def row(what: str, unit: str, name: str, target: float | None) -> Row:
        return Row(f"page: {what}", unit, getattr(ours, name), getattr(theirs, name, None), target)

    if beside:
        yield row("scripts on the wire, first view of a table of runs", "kB", "script_kb", _OUR_FIRST_VIEW_KB)
        yield row("everything on the wire, first view of a table of runs", "kB", "all_kb", _OUR_EVERYTHING_KB)
        yield Row("page: all scripts of the page, whether used or not", "kB", every_kb, None, _OUR_EVERYTHING_KB)
    many = f"{runs:,} runs"
    their_part = " (MLflow: the first 100 of them)" if beside else ""
    yield row(f"navigation to rows visible, {many}{their_part}", "s", "open_s", _OPEN_SECONDS.get(runs))
    yield row(f"work of the main thread for that, {many}", "s", "busy_s", None)
    yield row(f"sort by another column to rows visible, {many}", "ms", "sort_ms", _CHANGE_MS)
    yield row(f"sort by the same column the other way to rows visible, {many}", "ms", "again_ms", _CHANGE_MS)
    yield row(f"filter to rows visible, {many}", "ms", "filter_ms", _CHANGE_MS)
    scrolled = f"scrolling all rows, {many}{their_part}"
    yield row(f"{scrolled}: tasks over 50 ms", "tasks", "long_tasks", 0)
    yield row(f"{scrolled}: longest of them", "ms", "longest_ms", None)
    yield row(f"{scrolled}: elements of the document", "elements", "nodes", _MOST_NODES)


def _figures(browser: Browser, url: str, table: _Table, sorted_by: tuple[str, ...], rounds: int) -> _Figures:
    """Medians over some visits; the first one, for which the server wakes up, does not count."""
    visits = []
    for _ in range(rounds + 1):
        with Visit(browser) as visit:
            seconds = visit.open(url + table.address, table.shown) / 1000
            busy = visit.busy_ms() / 1000
            visits.append((visit.kilobytes("Script"), visit.kilobytes(), seconds, busy))
    script_kb, all_kb, open_s, busy_s = (statistics.median(column) for column in zip(*visits[1:], strict=True))
    with Visit(browser) as visit:
        visit.open(url + table.address, table.shown)
        scrolls = [visit.page.evaluate(_SCROLL.replace("SCROLLER", table.scroller)) for _ in range(min(rounds, 3))]
        visit.page.evaluate(f"() => {{ ({table.scroller})().scrollTop = 0; }}")
        visit.until(table.top)
        changed = f"(held) => ((name) => name && name !== held)(({table.top})())"
        sorts = [visit.after(table.sort.replace("KEY", key), changed) for key in sorted_by]
        again = visit.after(table.sort.replace("KEY", sorted_by[-1]), changed)
        filters = [_filtered(visit, table, number) for number in range(rounds)]
    long_tasks, nodes, longest = (statistics.median(column) for column in zip(*scrolls, strict=True))
    return _Figures(
        script_kb,
        all_kb,
        open_s,
        busy_s,
        statistics.median(sorts),
        again,
        statistics.median(filters),
        long_tasks,
        longest,
        nodes,
    )


def _every_script(url: str) -> float:
    """All scripts that the server has for the page, as they come over the wire, in kB."""
    size = 0
    for file in (BUILD / "assets").glob("*.js"):
        request = urllib.request.Request(f"{url}/assets/{file.name}", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as answer:
            size += len(answer.read())
    return size / 1000


def _filtered(visit: Visit, table: _Table, number: int) -> float:
    """Another model each time, so that another run stands first."""
    text = f"\"metrics.auc < 0.{30 + number} AND params.model = '{MODELS[number % len(MODELS)]}'\""
    script = _FILTER.replace("FILTER", text).replace("TOP", table.top).replace("INPUT", table.filter)
    return float(visit.page.evaluate(script))
