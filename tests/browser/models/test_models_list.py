"""The list of registered models, for whom the server knows."""

import itertools
import re

import pytest
from pages import Site
from playwright.sync_api import Locator, expect

_numbers = itertools.count(1)


def test_a_server_with_tokens_asks_for_one(visitor, server, model):
    site = visitor(server.url).open("/models")
    dialog = site.page.get_by_role("dialog", name="Access token")
    expect(dialog).to_contain_text("stele tokens create")
    expect(dialog.get_by_role("button", name="Continue")).to_be_disabled()
    field = dialog.get_by_label("Token", exact=True)
    expect(field).to_have_attribute("type", "password")
    field.fill("wrong")
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog.get_by_role("alert")).to_have_text("The server does not know that token.")
    expect(site.page.get_by_role("link", name=model.name)).to_have_count(0)
    field.fill(f" {server.tokens['noor']} ")
    field.press("Enter")
    expect(site.page.get_by_role("link", name=model.name)).to_be_visible()
    expect(dialog).to_have_count(0)
    # The tab keeps it, and the address does not.
    site.reload()
    expect(site.page.get_by_role("link", name=model.name)).to_be_visible()
    assert server.tokens["noor"] not in site.page.url
    assert all(server.tokens["noor"] not in request.url for request in site.requests)
    expect(visitor(server.url).open("/models").page.get_by_role("dialog", name="Access token")).to_be_visible()


def test_models_are_listed_found_and_made(signed_in, client, model):
    client.update_registered_model(model.name, "Who leaves next month.\nMore.")
    client.set_registered_model_tag(model.name, "team", "retention")
    client.create_registered_model(f"other of {model.name}")
    site = signed_in("mara", "/models")
    row = site.page.get_by_role("row").filter(has=site.page.get_by_role("link", name=model.name, exact=True))
    for text in ("v3", "champion v1", "team retention", "Who leaves next month."):
        expect(row).to_contain_text(text)
    search = site.page.get_by_role("combobox", name="Search models")
    search.fill(f"OTHER of {model.name}")
    expect(row).to_have_count(0)
    expect(site.page.locator(".foot")).to_contain_text(re.compile(r"1\s*model"))
    search.fill("nothing is called this")
    expect(site.page.get_by_text("No model matches “nothing is called this”")).to_be_visible()
    search.fill("")
    expect(row).to_be_visible()
    site.button("New model").click()
    site.page.get_by_role("dialog").get_by_role("textbox").fill(f"new {model.name}")
    site.press("Enter")
    expect(site.heading(f"new {model.name}")).to_be_visible()
    expect(site.page.get_by_text("No version yet")).to_be_visible()


@pytest.fixture
def listed(client):
    """Three models of two teams; answers with what their names begin with."""
    begin = f"listed-{next(_numbers)}"
    for name, team in (("b", "vision"), ("a", "speech"), ("c", "vision")):
        client.create_registered_model(f"{begin}-{name}", tags={"team": team})
    client.update_registered_model(f"{begin}-a", "changed last")
    return begin


def names(site: Site, begin: str) -> Locator:
    return site.page.locator("table.models").get_by_role("link", name=begin)


def test_models_are_found_by_a_filter(signed_in, listed):
    site = signed_in("mara", "/models")
    search = site.page.get_by_role("combobox", name="Search models")
    site.press("/")
    expect(search).to_be_focused()
    site.page.keyboard.type("tags.te")
    proposals = site.page.get_by_role("listbox", name="Proposals")
    expect(proposals.get_by_role("option").first).to_contain_text("tags.team")
    site.press("Tab")
    expect(search).to_have_value("tags.team ")
    site.page.keyboard.type("= 'vi")
    expect(proposals.get_by_role("option")).to_have_count(1)
    expect(proposals).to_contain_text("'vision'")
    site.press("Tab")
    site.page.keyboard.type(f"and name like '{listed}%'")
    expect(names(site, listed)).to_have_text([f"{listed}-b", f"{listed}-c"])
    site.is_at(r"/models\?q=tags\.team")
    # What cannot be understood is said under the caret, and leaves the list as it was.
    site.page.keyboard.type(" and name =")
    expect(site.page.get_by_role("alert")).to_contain_text("Showing the last valid filter.")
    expect(site.page.get_by_role("alert")).to_contain_text(re.compile(r"col \d+"))
    expect(search).to_have_attribute("aria-invalid", "true")
    expect(names(site, listed)).to_have_count(2)
    search.fill(f"name = '{listed}-x'")
    expect(site.page.get_by_text("No model matches the filter")).to_be_visible()
    # The address holds it; an address with a mistake shows all models.
    site.open(f"/models?q=name+%3D+'{listed}-a'")
    expect(names(site, listed)).to_have_text([f"{listed}-a"])
    site.open("/models?q=name+%3D")
    site.reload()
    expect(site.page.get_by_role("alert")).to_be_visible()
    expect(names(site, listed)).to_have_count(3)


def test_models_are_ordered_by_their_heads(signed_in, listed):
    site = signed_in("mara", f"/models?q={listed}")
    a, b, c = (f"{listed}-{name}" for name in "abc")
    name, changed = (site.page.get_by_role("columnheader", name=text) for text in ("Name", "Changed"))
    expect(names(site, listed)).to_have_text([a, b, c])
    expect(name).to_have_attribute("aria-sort", "ascending")
    name.get_by_role("button").click()
    expect(names(site, listed)).to_have_text([c, b, a])
    site.is_at(rf"/models\?q={listed}&order=-name$")
    changed.get_by_role("button").press("Enter")
    expect(names(site, listed).first).to_have_text(a)
    expect(changed).to_have_attribute("aria-sort", "descending")
    site.is_at(rf"/models\?q={listed}&order=-changed$")
    site.reload()
    expect(changed).to_have_attribute("aria-sort", "descending")
    changed.get_by_role("button").click()
    expect(names(site, listed).last).to_have_text(a)
    name.get_by_role("button").click()
    site.is_at(rf"/models\?q={listed}$")
