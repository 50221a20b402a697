"""The list of experiments: found, made, renamed, put away, brought back."""

import re

import pytest
import seeds
from playwright.sync_api import expect

from servers import stele_server
from stele.client.client import Client


@pytest.fixture
def named(client, new_experiment):
    """An experiment of the test; answers with its id and name."""
    experiment = new_experiment("night")
    seeds.new_run(client, experiment, "only")
    return experiment, client.get_experiment(experiment).name


def row(site, name):
    return site.page.get_by_role("row").filter(has=site.page.get_by_role("link", name=name, exact=True))


def test_each_row_tells_what_goes_on(site, client, new_experiment):
    experiment = new_experiment("busy")
    for number, status in enumerate(["RUNNING", "RUNNING", "FAILED", "FINISHED", "FINISHED", "FINISHED"]):
        seeds.new_run(client, experiment, f"r{number}", status=status)
    client.set_experiment_tag(experiment, "team", "growth")
    site.open("/experiments")
    one = row(site, client.get_experiment(experiment).name)
    for text, title in (("2", "2 running"), ("1", "1 failed"), ("3", "3 finished")):
        expect(one.get_by_title(title)).to_have_text(text)
    expect(one.get_by_role("cell").nth(3)).to_have_text("6")
    expect(one.get_by_text("team growth")).to_be_visible()


def test_search_by_name_and_by_tag(site, client, new_experiment, named):
    tagged = new_experiment("owl")
    client.set_experiment_tag(tagged, "animal", "bird of prey")
    name = client.get_experiment(tagged).name
    site.open("/experiments")
    field = site.page.get_by_role("textbox", name="Search experiments")
    for text in ("OWL", "animal = bird", "animal=PREY"):
        field.fill(text)
        expect(row(site, named[1])).to_have_count(0)
        expect(row(site, name)).to_be_visible()
        expect(site.page.locator(".foot")).to_contain_text("1 match")
    expect(site.page).to_have_url(re.compile("PREY"))
    site.reload()
    expect(field).to_have_value("animal=PREY")
    expect(row(site, name)).to_be_visible()
    field.fill("it's 100% \\ nobody_")
    expect(site.page.get_by_text("No experiment matches")).to_be_visible()
    site.button("Show all").click()
    expect(row(site, named[1])).to_be_visible()


def test_create(site, client):
    site.open("/experiments")
    site.button("New experiment").click()
    site.answer("Name", "made by hand", "Create")
    expect(site.heading("made by hand")).to_be_visible()
    assert client.get_experiment_by_name("made by hand").lifecycle_stage == "active"
    expect(site.page.get_by_text("Carve the first run")).to_be_visible()


def test_a_name_that_is_taken_is_said(site, client, named):
    site.open("/experiments")
    site.button("New experiment").click()
    site.answer("Name", named[1], "Create")
    site.says("exists already")


def test_rename_and_undo(site, client, named):
    experiment, name = named
    site.open("/experiments")
    site.menu(f"Actions for {name}", "Rename")
    site.answer("Name", f"{name} renamed", "Rename")
    site.says(f"Renamed {name} to {name} renamed")
    expect(row(site, f"{name} renamed")).to_be_visible()
    assert client.get_experiment(experiment).name == f"{name} renamed"
    site.press("Control+z")
    expect(row(site, name)).to_be_visible()
    assert client.get_experiment(experiment).name == name


def test_archive_and_undo(site, client, named):
    experiment, name = named
    site.open("/experiments")
    site.menu(f"Actions for {name}", "Archive")
    site.says(f"Archived {name}")
    expect(row(site, name)).to_have_count(0)
    assert client.get_experiment(experiment).name == f"_archived/{name}"
    site.page.get_by_role("radio", name="Archived").click()
    expect(row(site, f"_archived/{name}")).to_be_visible()
    site.page.get_by_role("radio", name="Active", exact=True).click()
    site.page.locator(".undo").get_by_role("button", name="Undo").click()
    expect(row(site, name)).to_be_visible()
    assert client.get_experiment(experiment).name == name


def test_what_the_command_line_archived_is_archived_here(site, client, named):
    _, name = named
    client.archive_experiment(name)
    site.open("/experiments?show=archived")
    site.menu(f"Actions for _archived/{name}", "Unarchive")
    site.says(f"Unarchived {name}")
    assert client.get_experiment_by_name(name) is not None


@pytest.mark.parametrize("way", ["key", "button"])
def test_delete_and_undo(site, client, named, way):
    experiment, name = named
    site.open("/experiments")
    site.menu(f"Actions for {name}", "Delete")
    bar = site.says(f"Deleted {name}")
    expect(row(site, name)).to_have_count(0)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    if way == "key":
        site.press("Control+z")
    else:
        bar.get_by_role("button", name="Undo").click()
    expect(row(site, name)).to_be_visible()
    assert client.get_experiment(experiment).lifecycle_stage == "active"


def test_restore(site, client, named):
    experiment, name = named
    client.delete_experiment(experiment)
    site.open("/experiments")
    site.page.get_by_role("radio", name="Deleted").click()
    site.menu(f"Actions for {name}", "Restore")
    site.says(f"Restored {name}")
    assert client.get_experiment(experiment).lifecycle_stage == "active"
    expect(row(site, name)).to_have_count(0)


def test_pinned_ones_stand_on_top(site, client, named, new_experiment):
    _, name = named
    newer = new_experiment("newer")
    seeds.new_run(client, newer, "r", start=2_000_000_000_000)
    site.open("/experiments")
    first = site.page.get_by_role("row").nth(1)
    expect(first.get_by_role("link", name=client.get_experiment(newer).name)).to_be_visible()
    site.button(f"Pin {name}").click()
    expect(first.get_by_role("link", name=name, exact=True)).to_be_visible()
    expect(site.page.get_by_role("navigation", name="Main").get_by_role("link", name=name)).to_be_visible()
    site.reload()
    expect(first.get_by_role("link", name=name, exact=True)).to_be_visible()
    site.button(f"Unpin {name}").click()
    expect(first.get_by_role("link", name=name, exact=True)).to_have_count(0)


def test_a_new_experiment_appears_by_itself(site, client, new_experiment, named):
    site.open("/experiments")
    expect(row(site, named[1])).to_be_visible()
    other = new_experiment("sudden")
    seeds.new_run(client, other, "r", status="RUNNING")
    expect(row(site, client.get_experiment(other).name).get_by_title("1 running")).to_be_visible()


def test_an_empty_server_shows_the_first_lines(visitor, tmp_path):
    with stele_server(tmp_path) as server:
        site = visitor(server.url)
        site.open("/")
        expect(site.page.get_by_text("Carve the first run")).to_be_visible()
        site.button("Copy").click()
        expect(site.button("Copied")).to_be_visible()
        code = site.page.evaluate("() => navigator.clipboard.readText()")
        assert len(code.splitlines()) == 5
        assert f'stele.set_tracking_uri("{server.url}")' in code
        site.button("mlflow client").click()
        expect(site.page.locator("pre.code")).to_contain_text("import mlflow")
        # The lines themselves, and the run appears where they were.
        client = Client(server.url)
        seeds.new_run(client, "0", "the first")
        expect(site.page.get_by_text("Carve the first run")).to_have_count(0)
        expect(row(site, "Default")).to_be_visible()


def test_the_lines_run(tmp_path, visitor):
    """What is copied is a program that works."""
    import subprocess
    import sys

    with stele_server(tmp_path) as server:
        site = visitor(server.url)
        site.open("/experiments/0")
        site.button("Copy").click()
        expect(site.button("Copied")).to_be_visible()
        code = site.page.evaluate("() => navigator.clipboard.readText()")
        subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, capture_output=True, timeout=60)
        expect(site.page.get_by_role("grid", name="Runs").get_by_role("link").first).to_be_visible()
        expect(site.page.locator(".foot")).to_contain_text(re.compile("1 run"))
