"""A board of charts as a test sees it: its cards, what they say they draw, and what is drawn on their canvases."""

from __future__ import annotations

from types import SimpleNamespace

import seeds
from pages import Site
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as OutOfTime

from stele.client.client import Client
from stele.entities import Metric

__all__ = [
    "card",
    "choose",
    "drag",
    "drawing",
    "hover",
    "ink",
    "layer",
    "sections",
    "shows",
    "sweep_board",
    "titles",
    "to_the_end",
]


def sweep_board(client: Client) -> SimpleNamespace:
    """A sweep of 12 runs, and an older one that alone has metrics without a prefix and of the machine."""
    experiment = client.create_experiment("sweep")
    older = [Metric("epoch", 1, seeds.EPOCH, 0), *seeds.curve("system/cpu_percent", [10, 20, 30])]
    seeds.new_run(client, experiment, "older", points=older, start=seeds.EPOCH - 10**6)
    runs = seeds.sweep(client, experiment, 12)
    return SimpleNamespace(experiment=experiment, runs=runs, address=f"/experiments/{experiment}/charts")


def card(site: Site, title: str) -> Locator:
    """A chart by its name."""
    return site.page.get_by_role("group", name=title, exact=True)


def drawing(site: Site, title: str) -> Locator:
    """The picture in a chart."""
    return card(site, title).get_by_role("img")


def shows(site: Site, title: str, curves: int) -> None:
    """Wait until a chart says that it draws so many curves, and waits for none."""
    name = f"{title}: {curves} {'curve' if curves == 1 else 'curves'}"
    expect(card(site, title).get_by_role("img", name=name, exact=True)).to_be_visible()
    expect(card(site, title).locator(".plot")).to_have_attribute("aria-busy", "false")


def sections(site: Site) -> list[str]:
    """The sections in sight, from top to bottom."""
    return site.page.get_by_role("heading", level=2).all_inner_texts()


def to_the_end(site: Site) -> None:
    """Scroll down to the last chart."""
    site.page.locator(".board .scroll").evaluate("(box) => { box.scrollTop = box.scrollHeight; }")


def titles(site: Site, section: str) -> list[str]:
    """The charts of a section, from left to right and from top to bottom."""
    return site.page.locator(f".card[data-section='{section}'] h3").all_inner_texts()


def choose(site: Site, title: str, *items: str) -> None:
    """Choose from the menu of a chart."""
    for item in items:
        site.menu(f"Options of {title}", item)


_INK = """([canvas, from, to]) => {
  const pen = canvas.getContext('2d');
  const [top, bottom] = [Math.floor(from * canvas.height), Math.ceil(to * canvas.height)];
  const bytes = pen.getImageData(0, top, canvas.width, bottom - top).data;
  const found = { most: 0, inked: 0, tinted: 0 };
  for (let i = 3; i < bytes.length; i += 4) {
    if (bytes[i] > 0) found.inked++;
    if (bytes[i] >= 34 && bytes[i] <= 38) found.tinted++;
    found.most = Math.max(found.most, bytes[i]);
  }
  return found;
}"""


def ink(page: Page, canvas: Locator, condition: str, top: float = 0, bottom: float = 1) -> None:
    """Wait until what is drawn between two heights is as wanted: its darkest alpha, how much there is, in bands."""
    given = [canvas.element_handle(), top, bottom]
    try:
        page.wait_for_function(
            f"(given) => {{ const {{ most, inked, tinted }} = ({_INK})(given); return {condition}; }}", arg=given
        )
    except OutOfTime:
        raise AssertionError(f"{condition} is not true of {page.evaluate(_INK, given)}") from None


def layer(site: Site, title: str, index: int) -> Locator:
    """A canvas of a chart: 0 holds the curves, 1 what moves with the pointer."""
    return drawing(site, title).locator("canvas").nth(index)


def drag(page: Page, target: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over an element, between places that are given as shares of its size."""
    box = target.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move((places[0][0] + places[1][0]) / 2, (places[0][1] + places[1][1]) / 2)
    page.mouse.move(*places[1])
    page.mouse.up()


def hover(target: Locator, across: float) -> None:
    """Rest on an element, at a share of its width."""
    box = target.bounding_box()
    target.hover(position={"x": across * box["width"], "y": box["height"] / 2})
