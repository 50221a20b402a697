"""The web page in headless Chromium: charts of many points, and what it keeps while runs go on."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count

from playwright.sync_api import Browser

from benchmarks.browser import Visit
from benchmarks.measure import run_script
from benchmarks.page_data import LONG_RUNS, MANY_POINTS, MANY_RUNS, WIDE_KEYS, WIDE_STEPS, curve_store
from benchmarks.results import Row
from benchmarks.servers import mlflow_server, stele_server
from benchmarks.setting import Setting
from stele.schema.metrics import Metric
from stele.schema.runs import CreateRun, LogBatch
from stele.stores.rest import RestStore
from stele.transport import HttpTransport

__all__ = ["curve_rows", "live_rows"]

_OPEN_SECONDS, _ZOOM_SECONDS = 0.4, 0.2
_MANY_SECONDS, _WIDE_SECONDS = 0.6, 0.6
_LIVE_RUNS = 10
_LIVE_METRICS = ("loss", "accuracy", "learning_rate", "gradient_norm", "memory_gb")
_MOST_GROWTH_MB = 20
_SETTLING_SECONDS = 10.0
"""Until everything has been drawn a few times."""

# A chart says what it draws, and is not busy once all of it is there.
_DRAWN = """() => [...document.querySelectorAll(".drawing")].some((drawing) =>
  drawing.getAttribute("aria-label")?.includes("CURVES") &&
  drawing.closest('[aria-busy="false"]') && drawing.querySelector("canvas"))"""

_THEIR_CHARTS = "() => document.querySelector('.js-plotly-plot .scatterlayer path')"

_REFINED = f"""(held, since) => ({_DRAWN})() && performance.getEntriesByType("resource").some(
  ({{ name, startTime }}) => name.endsWith("/series") && startTime > since)"""

# As a visitor who drags from a third of the chart to the half.
_ZOOM = """() => {
  const drawing = document.querySelector(".drawing");
  const box = drawing.getBoundingClientRect();
  const at = (type, share) => drawing.dispatchEvent(new PointerEvent(type, {
    bubbles: true, button: 0, pointerId: 1, clientX: box.left + share * box.width, clientY: box.top + box.height / 2,
  }));
  drawing.setPointerCapture = () => undefined;
  at("pointerdown", FROM);
  at("pointermove", FROM + 0.1);
  at("pointerup", FROM + 0.1);
}"""


def curve_rows(setting: Setting, browser: Browser) -> Iterator[Row]:
    """First paint of charts, and how soon a zoom has its finer points."""
    kept = curve_store(setting)
    rounds = setting.sizes.page_rounds
    with stele_server(kept.folder) as server:
        long = f"{server.url}/#/experiments/{kept.long}/charts"
        opened, zoomed = [], []
        for number in range(rounds + 1):
            with Visit(browser) as visit:
                opened.append(visit.open(long, _drawn(LONG_RUNS)) / 1000)
                zoom = _ZOOM.replace("FROM", f"{0.3 + 0.04 * number:.2f}")  # another part each time
                zoomed.append(visit.after(zoom, _REFINED.replace("CURVES", f"{LONG_RUNS} curves")) / 1000)
        show = "?ch=" + f'{{"n":{MANY_RUNS}}}'
        many = _opened(browser, f"{server.url}/#/experiments/{kept.many}/charts{show}", MANY_RUNS, rounds)
        wide = _opened(browser, f"{server.url}/#/experiments/{kept.wide}/runs/{kept.wide_run}/charts", 1, rounds)
    what = f"page: {LONG_RUNS} curves of {setting.sizes.page_points:,} points"
    yield Row(f"{what}: navigation to first paint", "s", statistics.median(opened[1:]), None, _OPEN_SECONDS)
    yield Row(f"{what}: zoom to finer points", "s", statistics.median(zoomed[1:]), None, _ZOOM_SECONDS)
    what = f"page: {MANY_RUNS} curves of {MANY_POINTS:,} points in a chart: navigation to first paint"
    yield Row(what, "s", many, None, _MANY_SECONDS)
    theirs = _their_wide_run(setting, browser)
    yield Row(f"page: run of {WIDE_KEYS:,} metrics: navigation to first charts", "s", wide, theirs, _WIDE_SECONDS)


def _drawn(curves: int) -> str:
    return _DRAWN.replace("CURVES", f"{curves:,} curve{'s' if curves > 1 else ''}")


def _opened(browser: Browser, url: str, curves: int, rounds: int) -> float:
    """Median seconds from the navigation to a chart of so many curves; the first visit does not count."""
    times = []
    for _ in range(rounds + 1):
        with Visit(browser) as visit:
            times.append(visit.open(url, _drawn(curves)) / 1000)
    return statistics.median(times[1:])


def _their_wide_run(setting: Setting, browser: Browser) -> float:
    """The same of MLflow's page, once: it takes the better part of a minute."""
    folder = setting.folder / "their-wide"
    folder.mkdir()
    database = str(folder / "mlflow.db")
    run_id = run_script(setting.theirs, "mlflow_points.py", "wide", database, str(WIDE_KEYS), str(WIDE_STEPS))
    with mlflow_server(setting.theirs, folder) as server, Visit(browser) as visit:
        return visit.open(f"{server.url}/#/experiments/0/runs/{run_id}/model-metrics", _THEIR_CHARTS) / 1000


def live_rows(setting: Setting, browser: Browser) -> Iterator[Row]:
    """The memory of the pages of an experiment while its runs log once a second."""
    folder = setting.folder / "live"
    folder.mkdir()
    seconds = setting.sizes.page_live_seconds
    pages = {
        "table of runs": ("runs", f"() => document.querySelectorAll('.tbody [role=row]').length >= {_LIVE_RUNS}"),
        "charts": ("charts", _drawn(_LIVE_RUNS)),
    }
    with ExitStack() as stack:
        server = stack.enter_context(stele_server(folder))
        stack.enter_context(_logging(server.url))
        visits = {name: stack.enter_context(Visit(browser)) for name in pages}
        for name, (tab, shown) in pages.items():
            visits[name].open(f"{server.url}/#/experiments/0/{tab}", shown)
        _wait(visits["charts"], min(_SETTLING_SECONDS, seconds))
        before = {name: visit.heap_megabytes() for name, visit in visits.items()}
        _wait(visits["charts"], seconds)
        for name, visit in visits.items():
            what = f"page: {name}, {_LIVE_RUNS} runs that log once a second: memory of scripts"
            yield Row(f"{what} at first", "MB", before[name])
            grown = max(0.0, visit.heap_megabytes() - before[name])
            yield Row(f"{what}, growth in {seconds:,.0f} s", "MB", grown, None, _MOST_GROWTH_MB)


def _wait(visit: Visit, seconds: float) -> None:
    visit.page.wait_for_timeout(1000 * seconds)


@contextmanager
def _logging(url: str) -> Iterator[None]:
    """Runs that log five metrics once a second, in a thread of this process."""
    stop = threading.Event()
    store = RestStore(HttpTransport(url))
    runs = [
        store.create_run(CreateRun(experiment_id="0", run_name=f"live-{number}", start_time=_now())).run.info.run_id
        for number in range(_LIVE_RUNS)
    ]

    def work() -> None:
        for step in count():
            for number, run_id in enumerate(runs):
                values = ((key, (number + 1) / (step + place + 1)) for place, key in enumerate(_LIVE_METRICS))
                metrics = [Metric(key, value, _now(), step) for key, value in values]
                store.log_batch(LogBatch(run_id=run_id, metrics=metrics))
            if stop.wait(1):
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        store.close()


def _now() -> int:
    return int(time.time() * 1000)
