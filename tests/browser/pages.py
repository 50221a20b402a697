"""The page as a test sees it: a browser tab that remembers everything that must not happen."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, Request, expect

from chromium_flags import FLAGS
from services import missing

__all__ = ["CHROMIUM", "Site", "launch", "new_context"]

CHROMIUM = Path(os.environ.get("STELE_TEST_CHROMIUM", "/usr/bin/chromium"))
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)

# Chromium tells of a refused resource in the console as well as by an event; the event names the rule.
_REPORT = "addEventListener('securitypolicyviolation', (e) => stelePolicy(`${e.violatedDirective} ${e.blockedURI}`))"


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        missing(f"{CHROMIUM} is missing. Install it: apt-get install chromium")
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)


class Site:
    """One tab on one server's page.

    Args:
        page: An empty tab.
        url: Of the server, with its static prefix.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.troubles: list[str] = []
        """Errors of scripts, dialogs, what the policy refused, and requests to elsewhere."""
        self.requests: list[Request] = []
        page.expose_function("stelePolicy", lambda text: self.troubles.append(f"policy: {text}"))
        page.add_init_script(_REPORT)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("dialog", self._on_dialog)
        page.on("request", self._on_request)
        page.on("console", self._on_console)
        page.on("popup", lambda other: self.troubles.append(f"popup: {other.url}"))

    def _on_dialog(self, dialog: Any) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        self.requests.append(request)
        origin = "/".join(self.url.split("/")[:3])
        if not request.url.startswith((f"{origin}/", f"blob:{origin}/", "data:", "about:")):
            self.troubles.append(f"request: {request.url}")

    def _on_console(self, message: Any) -> None:
        if "Content Security Policy" in message.text or "Warning:" in message.text:
            self.troubles.append(f"console: {message.text}")

    def check(self) -> None:
        """Nothing of what must not happen has happened."""
        if self.troubles:
            raise AssertionError("the page did what it must not: " + "; ".join(self.troubles))

    def forgive_refusals(self) -> None:
        """What a file in a frame tried and its policy refused is as it should be: nothing of it was sent."""
        self.troubles = [trouble for trouble in self.troubles if not trouble.startswith(("policy:", "console:"))]

    def open(self, address: str) -> Site:
        """Go to an address behind the ``#``; a tab that shows the page already stays there, as with a link in it."""
        self.page.goto(f"{self.url}/#{address}")
        return self

    def reload(self) -> None:
        """Read the same address again."""
        self.page.reload()

    def heading(self, text: str | re.Pattern[str]) -> Locator:
        """The name of the page at hand."""
        return self.page.get_by_role("heading", level=1, name=text)

    def is_at(self, pattern: str) -> None:
        """Wait for an address; the pattern is a regular expression over what stands behind the ``#``."""
        expect(self.page).to_have_url(re.compile(re.escape(f"{self.url}/#") + pattern))

    def button(self, name: str | re.Pattern[str], *, exact: bool = True) -> Locator:
        """A button by its name."""
        return self.page.get_by_role("button", name=name, exact=exact)

    def says(self, text: str | re.Pattern[str]) -> Locator:
        """The line at the bottom left that says what was done."""
        line = self.page.locator(".undo")
        expect(line).to_contain_text(text)
        return line

    def menu(self, label: str, item: str) -> None:
        """Open a menu and choose from it."""
        self.button(label).click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def answer(self, label: str, text: str, action: str) -> None:
        """Answer a question of the page."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label(label, exact=True).fill(text)
        dialog.get_by_role("button", name=action, exact=True).click()

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)


def new_context(browser: Browser, *, theme: str = "light", width: int = 1440, height: int = 900) -> BrowserContext:
    """A storage of its own, as another visitor has it."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(PATIENCE_MS)
    return context
