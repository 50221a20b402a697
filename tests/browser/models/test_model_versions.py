"""Versions of a model: their table, one beside another one, where one comes from, and how it is used."""

import re

import pytest
import seeds
from pages import Site
from playwright.sync_api import expect
from registry_page import events, part, version


def test_versions_with_their_figures_aliases_and_stages(signed_in, client, model):
    site = signed_in("mara", model.address)
    expect(part(site, "Versions").get_by_role("row")).to_have_count(4)
    expect(part(site, "Versions").get_by_role("columnheader", name="val/accuracy")).to_be_visible()
    for text in ("fit-1", "0.750", "None", "mara"):
        expect(version(site, 2)).to_contain_text(text)
    expect(version(site, 1)).to_contain_text("champion")
    site.menu("Actions for version 2", "Set alias")
    site.answer("Alias", "candidate", "Set")
    site.says("Set candidate on version 2")
    expect(version(site, 2)).to_contain_text("candidate")
    assert str(client.get_model_version_by_alias(model.name, "candidate").version) == "2"
    version(site, 2).get_by_role("button", name="Remove candidate").click()
    undo = site.says("Removed candidate").get_by_role("button", name="Undo")
    expect(version(site, 2)).not_to_contain_text("candidate")
    undo.click()
    expect(version(site, 2)).to_contain_text("candidate")
    # A protected one has no way to be removed at once.
    expect(version(site, 1).get_by_role("button", name="Remove champion")).to_have_count(0)
    site.menu("Actions for version 3", "Move to Staging")
    undo = site.says("Moved version 3 to Staging").get_by_role("button", name="Undo")
    expect(version(site, 3)).to_contain_text("Staging")
    assert client.get_model_version(model.name, "3").current_stage == "Staging"
    undo.click()
    expect(version(site, 3)).to_contain_text("None")
    site.page.get_by_role("textbox", name="Search versions").fill("candidate")
    expect(version(site, 2)).to_be_visible()
    expect(version(site, 3)).to_have_count(0)


def test_three_versions_are_compared_by_their_runs(signed_in, model):
    site = signed_in("mara", model.address)
    compare = part(site, "Versions").get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    for number in (1, 2, 3):
        site.page.get_by_role("checkbox", name=f"Select version {number}").click()
    compare.click()
    grid = site.page.get_by_role("grid", name="Comparison")
    for name in ("fit-0", "fit-1", "fit-2"):
        expect(grid.get_by_role("link", name=name)).to_be_visible()
    expect(grid.get_by_role("link")).to_have_count(3)


def test_two_versions_are_compared_with_the_keyboard(signed_in, model):
    site = signed_in("mara", model.address)
    for number in (1, 3):
        box = site.page.get_by_role("checkbox", name=f"Select version {number}")
        box.focus()
        site.press("Space")
        expect(box).to_be_checked()
    site.page.get_by_role("textbox", name="Search versions").focus()
    site.press("Tab", "Enter")
    expect(site.heading("Version 3")).to_be_visible()
    expect(site.page.locator(".compared")).to_contain_text("compared with version 1")
    site.is_at(rf"{model.address}/versions/3\?vs=1$")


NEWER = seeds.MLMODEL.replace('"name": "age"', '"name": "age_years"').replace(
    '"type": "string", "name": "city"', '"type": "long", "name": "city"'
)


@pytest.fixture
def changed(client, model, tmp_path):
    """The model with a fourth version that takes and needs something else; it is the challenger."""
    experiment = client.get_run(model.runs[0]).info.experiment_id
    run = seeds.new_run(client, experiment, "fit-3", params={"depth": "9"}, metrics={"val/accuracy": 0.875})
    seeds.model_version(client, model.name, run, tmp_path, NEWER, "scikit-learn==1.7.1\npandas>=2\nnumpy==2.3.1\n")
    client.set_registered_model_alias(model.name, "challenger", "4")
    return model


def rows_of(site: Site, card: str) -> list[str]:
    rows = part(site, card).get_by_role("row").all()
    return [" ".join(row.inner_text().split()) for row in rows]


def test_a_version_beside_another_one(signed_in, client, changed):
    site = signed_in("mara", f"{changed.address}/versions/4")
    site.button("Compare with").click()
    expect(site.page.get_by_role("menuitem")).to_have_text(
        ["champion · version 1", "Version 3", "Version 2", "Another version"]
    )
    site.page.get_by_role("menuitem", name="champion · version 1").click()
    site.is_at(rf"{changed.address}/versions/4\?vs=1$")
    expect(part(site, "Signature")).to_contain_text("3 differ of 4")
    assert rows_of(site, "Signature") == [
        "age_years double + added",
        "city string long ± changed",
        "age double − removed",
        "— double",
    ]
    expect(part(site, "Requirements")).to_contain_text("2 differ of 3")
    assert rows_of(site, "Requirements") == ["scikit-learn 1.7.0 1.7.1 ± changed", "pandas >=2 + added", "numpy 2.3.1"]
    site.page.get_by_role("switch", name="Only what differs").click()
    expect(part(site, "Requirements").get_by_role("row")).to_have_count(2)
    site.page.get_by_role("navigation", name="Views").get_by_role("link", name="Metrics").click()
    site.is_at(rf"{changed.address}/versions/4\?tab=metrics&vs=1$")
    row = site.page.get_by_role("table", name="Metrics").get_by_role("row").filter(has_text="val/accuracy")
    expect(row).to_contain_text("+0.375")
    expect(part(site, "Params").get_by_role("row", name="depth 0 9").first).to_be_visible()
    # Others see the same by the address, and leave it without losing their tab.
    site.reload()
    expect(row).to_contain_text("+0.375")
    site.page.get_by_role("link", name="Leave the comparison").click()
    site.is_at(rf"{changed.address}/versions/4\?tab=metrics$")
    expect(row).not_to_contain_text("+0.375")


def test_a_version_beside_one_that_is_not_there_or_has_nothing(signed_in, client, changed):
    client.create_model_version(changed.name, "s3://elsewhere/model")
    site = signed_in("mara", f"{changed.address}/versions/4?vs=5")
    expect(part(site, "Signature")).to_contain_text("The signature of version 5 could not be read")
    expect(part(site, "Signature")).to_contain_text("age_years")
    site.page.get_by_role("navigation", name="Views").get_by_role("link", name="Metrics").click()
    expect(site.page.get_by_text("The run that made version 5 is not known here")).to_be_visible()
    site.menu("Compare with", "Another version")
    site.answer("Version", "v77", "Compare")
    expect(site.page.locator(".compared")).to_contain_text("version 77 could not be read")
    site.page.get_by_role("link", name="Leave the comparison").click()
    expect(site.page.locator(".compared")).to_have_count(0)


def test_more_versions_than_one_answer_holds(signed_in, client, model, tmp_path):
    """Of runs that are deleted, unknown or none; the page begins with the newest and finds them all."""
    name = f"many-{model.name}"
    client.create_registered_model(name)
    experiment = client.get_run(model.runs[0]).info.experiment_id
    deleted = seeds.new_run(client, experiment, "gone", metrics={"val/accuracy": 0.25})
    for number in range(1, 1004):
        run = {1002: deleted, 1003: "0" * 32}.get(number)
        client.create_model_version(name, "s3://elsewhere/model", run)
    client.delete_run(deleted)
    client.set_registered_model_alias(name, "first-of-all", "2")
    site = signed_in("mara", f"/models/{name}")
    table = part(site, "Versions")
    expect(table).to_contain_text("the newest 100 of 1,000+")
    expect(table.get_by_role("row")).to_have_count(101)
    expect(version(site, 1002)).to_contain_text("deleted")
    expect(version(site, 1002)).to_contain_text("0.25")
    expect(version(site, 1003).get_by_title("is not known here")).to_have_text("00000000")
    expect(version(site, 1001)).to_contain_text("—")
    site.button("Show older versions").click()
    expect(table.get_by_role("row")).to_have_count(201)
    site.page.get_by_role("textbox", name="Search versions").fill("first-of-all")
    expect(version(site, 2)).to_be_visible()
    expect(table).to_contain_text("1 of 1,003")
    site.page.get_by_role("textbox", name="Search versions").fill("")
    for number in (1001, 1000, 999):
        site.page.get_by_role("checkbox", name=f"Select version {number}").click()
    compare = table.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    expect(compare).to_have_attribute("title", re.compile("these have none"))


def test_lineage_from_the_data_to_the_alias(signed_in, model):
    site = signed_in("mara", f"{model.address}/versions/1")
    lineage = part(site, "Lineage of version 1")
    boxes = lineage.locator(".node")
    expect(boxes).to_have_count(4)
    for i, texts in enumerate((("customers", "1,200 rows"), ("fit-0", "c0ffee0"), ("v1",), ("champion", "alias"))):
        for text in texts:
            expect(boxes.nth(i)).to_contain_text(text)
    lefts = [boxes.nth(i).bounding_box()["x"] for i in range(4)]
    assert lefts == sorted(lefts)
    assert lineage.locator("svg path").count() == 3
    lineage.get_by_role("link", name=re.compile("fit-0")).click()
    expect(site.heading("fit-0")).to_be_visible()


def test_a_version_with_all_that_is_needed_to_use_it(signed_in, client, server, model):
    site = signed_in("mara", f"{model.address}/versions/1")
    expect(site.heading("Version 1")).to_be_visible()
    signature = part(site, "Signature")
    expect(signature).to_contain_text("python_function, sklearn")
    expect(signature.get_by_role("table", name="Inputs").get_by_role("row").nth(1)).to_contain_text("city")
    requirements = part(site, "Requirements")
    expect(requirements).to_contain_text("scikit-learn")
    expect(requirements).to_contain_text("2.3.1")
    use = part(site, "Use it")
    code = use.get_by_role("region")
    expect(code).to_contain_text(f'stele.pyfunc.load_model("models:/{model.name}@champion")')
    expect(code).to_contain_text(server.url)
    for way, line in (
        ("Serve", f'stele models serve --model-uri "models:/{model.name}@champion" --port 8080'),
        ("Ask", "/invocations"),
        ("Docker", "stele models generate-dockerfile"),
    ):
        use.get_by_role("radio", name=way).click()
        expect(code).to_contain_text(line)
    expect(site.page.get_by_role("region", name="Version", exact=True)).to_contain_text("mara")
    views = site.page.get_by_role("navigation", name="Views")
    views.get_by_role("link", name="Metrics").click()
    row = site.page.get_by_role("table", name="Metrics").get_by_role("row").filter(has_text="val/accuracy")
    expect(row).to_contain_text("0.5")
    views.get_by_role("link", name="Files").click()
    expect(part(site, "Artifacts")).to_contain_text("2 files")
    site.page.get_by_role("treeitem", name=re.compile("^MLmodel")).click()
    expect(site.page.locator(".viewer")).to_contain_text("loader_module: stele.sklearn")
    views.get_by_role("link", name="Events").click()
    expect(events(site).filter(has_text="registered v1")).to_be_visible()


def test_a_version_is_described_tagged_and_deleted(signed_in, client, model):
    site = signed_in("mara", f"{model.address}/versions/3")
    site.button("Edit").click()
    site.page.get_by_label("Description in Markdown").fill("On *new* data")
    site.button("Save").click()
    expect(site.page.get_by_role("emphasis").filter(has_text="new")).to_be_visible()
    site.button("Add a tag").click()
    site.page.get_by_label("Key = value").fill("audited=yes")
    site.press("Enter")
    expect(site.button("Remove audited")).to_be_visible()
    held = client.get_model_version(model.name, "3")
    assert (held.description, held.tags["audited"]) == ("On *new* data", "yes")
    site.open(model.address)
    site.menu("Actions for version 3", "Delete")
    site.answer("Version", "2", "Delete for good")
    expect(version(site, 3)).to_be_visible()
    site.menu("Actions for version 3", "Delete")
    site.answer("Version", "3", "Delete for good")
    site.says("Deleted version 3")
    expect(version(site, 3)).to_have_count(0)
    assert len(client.search_model_versions(f"name = '{model.name}'")) == 2
