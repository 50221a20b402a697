"""How Chromium is started, by the tests and by the benchmarks."""

from __future__ import annotations

__all__ = ["FLAGS"]

_IDLE_PAGES = ("WebUIOmniboxAimPopup", "WebUIOmniboxPopup")
"""What each new window loads for its address bar, which nobody sees here: a second of a processor's time."""

FLAGS = ["--no-sandbox", f"--disable-features={','.join(_IDLE_PAGES)}"]
