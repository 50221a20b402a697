"""What tests of the registry's pages read and do there."""

import re

from pages import Site
from playwright.sync_api import Locator, expect

PEOPLE = ("mara", "noor")


def give_token(site: Site, token: str) -> None:
    site.answer("Token", token, "Continue")
    expect(site.page.get_by_role("dialog", name="Access token")).to_have_count(0)


def part(site: Site, name: str | re.Pattern[str]) -> Locator:
    return site.page.get_by_role("region", name=name)


def version(site: Site, number: int) -> Locator:
    link = site.page.get_by_role("link", name=f"v{number}", exact=True)
    return part(site, "Versions").get_by_role("row").filter(has=link)


def events(site: Site) -> Locator:
    return part(site, "Events").get_by_role("listitem")


def tells(site: Site, text: str, reason: str) -> None:
    """Wait until the event log tells of something, and why."""
    expect(events(site).filter(has_text=text)).to_contain_text(reason)
