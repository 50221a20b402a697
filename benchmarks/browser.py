"""Pages in headless Chromium: how long until something is on the screen, and what came over the wire for it."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Browser, sync_playwright

from chromium_flags import FLAGS

__all__ = ["Visit", "chromium"]

_VIEW = {"width": 1440, "height": 900}
_MOST_SECONDS = 180

# What every page has from its first moment on. `until` resolves after the frame in which a condition held was painted.
_TOOLS = """
window.bench = {
  longTasks: [],
  until: (holds, since) => new Promise((resolve, reject) => {
    const look = () => {
      if (holds()) setTimeout(() => resolve(performance.now() - since));
      else if (performance.now() - since > MOST_MS) reject(new Error(`not within MOST_MS ms: ${holds}`));
      else requestAnimationFrame(look);
    };
    look();
  }),
};
new PerformanceObserver((list) => bench.longTasks.push(...list.getEntries().map((entry) => entry.duration)))
  .observe({ type: "longtask" });
""".replace("MOST_MS", str(1000 * _MOST_SECONDS))


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium without a window; Playwright's own where there is none."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A visitor who was never here: nothing is in the browser's memory. Leaves at the end of a ``with``.

    Args:
        browser: Where the visit takes place.
    """

    def __init__(self, browser: Browser) -> None:
        self._context = browser.new_context(viewport=_VIEW)  # type: ignore[arg-type]  # a typed dict
        self.page = self._context.new_page()
        self.page.set_default_timeout(1000 * _MOST_SECONDS)
        self.page.add_init_script(_TOOLS)
        self._wire: dict[str, float] = defaultdict(float)
        self._kinds: dict[str, str] = {}
        self._session = self._context.new_cdp_session(self.page)
        self._session.on("Network.responseReceived", self._note)
        self._session.on("Network.loadingFinished", self._count)
        self._session.send("Network.enable")
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})  # of the processor, not of the clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.close()

    def _note(self, event: dict[str, Any]) -> None:
        self._kinds[event["requestId"]] = event["type"]

    def _count(self, event: dict[str, Any]) -> None:
        self._wire[self._kinds.get(event["requestId"], "")] += event["encodedDataLength"]

    def open(self, url: str, shown: str) -> float:
        """Go to an address.

        Args:
            url: Where to.
            shown: A function of JavaScript that says whether what one waits for is there.

        Returns:
            Milliseconds from the beginning of the navigation until it was painted.
        """
        self.page.goto(url, wait_until="commit")
        return self.until(shown)

    def until(self, shown: str) -> float:
        """Milliseconds from the beginning of the navigation until a condition held and was painted."""
        return float(self.page.evaluate(f"() => bench.until({shown}, 0)"))

    def after(self, action: str, shown: str) -> float:
        """Do something on the page.

        Args:
            action: A function of JavaScript; what it returns is given to ``shown``.
            shown: A function of JavaScript that says whether its effect is there.

        Returns:
            Milliseconds from the action until the effect was painted.
        """
        script = f"() => {{ const since = performance.now(); const held = ({action})(); "
        return float(self.page.evaluate(f"{script} return bench.until(() => ({shown})(held, since), since); }}"))

    def kilobytes(self, kind: str = "") -> float:
        """What came over the wire until now, in kB with headers: of a kind as ``Script``, or everything."""
        sizes = [size for name, size in self._wire.items() if not kind or name == kind]
        return sum(sizes) / 1000

    def busy_ms(self) -> float:
        """How long the page's main thread has worked, in milliseconds of its processor's time."""
        return 1000 * self._metrics()["TaskDuration"]

    def heap_megabytes(self) -> float:
        """The memory of the page's scripts after a collection of garbage."""
        self._session.send("HeapProfiler.collectGarbage")
        return self._metrics()["JSHeapUsedSize"] / 1e6

    def nodes(self) -> int:
        """How many elements the document has."""
        return int(self.page.evaluate('() => document.getElementsByTagName("*").length'))

    def _metrics(self) -> dict[str, float]:
        found = self._session.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in found}
