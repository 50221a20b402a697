"""Registered models: the list, versions and what is decided about them by two people, lineage, one version."""

import itertools
import re
from types import SimpleNamespace

import pytest
import seeds
from pages import Site
from playwright.sync_api import Locator, expect

from servers import stele_server
from stele.client.client import Client
from stele.errors import PermissionDenied
from stele.stores.sql import SqlStore

PEOPLE = ("mara", "noor")
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that answers with a token only; its two people have one each."""
    folder = tmp_path_factory.mktemp("server")
    with SqlStore(f"sqlite:///{folder}/stele.db") as store:
        tokens = {name: store.create_token(name) for name in PEOPLE}
    with stele_server(folder, "--allowed-hosts", "stele.example") as running:
        running.tokens = tokens
        yield running


@pytest.fixture(scope="module")
def client(server):
    """A client of mara."""
    return Client(server.url.replace("://", f"://mara:{server.tokens['mara']}@"))


@pytest.fixture
def model(client, tmp_path):
    """A model with three versions of three runs, of which the first one is the champion; nobody but two may move it."""
    number = next(_numbers)
    name = f"churn-{number}"
    experiment = client.create_experiment(name)
    runs = []
    for i, score in enumerate((0.5, 0.75, 0.625)):
        tags = {"mlflow.source.git.commit": "c0ffee" + "0" * 34}
        run = seeds.new_run(
            client, experiment, f"fit-{i}", params={"depth": str(i)}, metrics={"val/accuracy": score}, tags=tags
        )
        client.log_inputs(run, [seeds.dataset("customers")])
        seeds.model_version(client, name, run, tmp_path)
        runs.append(run)
    client.set_registered_model_alias(name, "champion", "1")
    client.protect(name, alias="champion")
    return SimpleNamespace(name=name, runs=runs, address=f"/models/{name}")


@pytest.fixture
def signed_in(visitor, server):
    """Opens an address as one of the people."""

    def enter(person: str, address: str) -> Site:
        site = visitor(server.url).open(address)
        give_token(site, server.tokens[person])
        expect(site.page.get_by_role("heading", level=1)).to_be_visible()
        return site

    return enter


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


def ask_for(site: Site, number: int, reason: str) -> None:
    """Ask to make a version the champion."""
    site.menu(f"Actions for version {number}", "Set alias")
    site.answer("Alias", "champion", "Set")
    site.answer("Reason", reason, "Ask for approval")
    site.says(f"Asked to move champion to version {number}")


def test_one_asks_and_another_approves_or_rejects_with_a_comment(signed_in, client, model):
    mara, noor = (signed_in(person, model.address) for person in PEOPLE)
    wanted = [part(site, "Approval wanted") for site in (mara, noor)]
    ask_for(mara, 2, "Better on all slices")
    for card in wanted:
        expect(card).to_contain_text("champion: version 1 → 2")
        expect(card).to_contain_text("mara")
        expect(card).to_contain_text("Better on all slices")
    expect(version(noor, 1)).to_contain_text("champion")
    # Nobody gives himself his word.
    expect(wanted[0]).to_contain_text("Waiting for somebody else’s word.")
    expect(wanted[0].get_by_role("button")).to_have_text(["Comment", "Withdraw"])
    expect(wanted[1]).not_to_contain_text("Waiting")
    expect(wanted[1].get_by_role("button")).to_have_text(["Comment", "Reject", "Approve"])
    wanted[1].get_by_role("button", name="Approve").click()
    noor.answer("Comment", "Looked at the errors", "Approve")
    noor.says("Approved")
    for site, card in zip((mara, noor), wanted, strict=True):
        expect(card).to_have_count(0)
        expect(version(site, 2)).to_contain_text("champion")
        expect(version(site, 1)).not_to_contain_text("champion")
        tells(site, "noor approved to move champion to v2", "Looked at the errors")
        tells(site, "mara asked to move champion to v2", "Better on all")
    assert str(client.get_model_version_by_alias(model.name, "champion").version) == "2"
    ask_for(mara, 3, "Newer")
    wanted[1].get_by_role("button", name="Comment").click()
    noor.answer("Comment", "Why newer?", "Comment")
    expect(wanted[0]).to_contain_text("noor Why newer?")
    tells(mara, "noor commented on the request to move champion to v3", "Why newer?")
    wanted[1].get_by_role("button", name="Reject").click()
    noor.answer("Comment", "Newer is not better", "Reject")
    noor.says("Rejected")
    expect(wanted[0]).to_have_count(0)
    tells(mara, "noor refused to move champion to v3", "Newer is not better")
    expect(version(mara, 2)).to_contain_text("champion")
    assert str(client.get_model_version_by_alias(model.name, "champion").version) == "2"


def test_who_asked_comments_and_takes_it_back(signed_in, client, model):
    mara, noor = (signed_in(person, model.address) for person in PEOPLE)
    ask_for(mara, 2, "Better on all slices")
    mine, theirs = (part(site, "Approval wanted") for site in (mara, noor))
    mine.get_by_role("button", name="Comment").click()
    mara.answer("Comment", "Wait for the audit", "Comment")
    expect(theirs).to_contain_text("mara Wait for the audit")
    mine.get_by_role("button", name="Withdraw").click()
    mara.answer("Comment", "The audit found a leak", "Withdraw")
    mara.says("Withdrawn")
    for site, card in ((mara, mine), (noor, theirs)):
        expect(card).to_have_count(0)
        tells(site, "mara took back the request to move champion to v2", "The audit found a leak")
    (request,) = client.search_approval_requests(model.name)
    assert (request.status, request.decided_by) == ("withdrawn", "mara")
    assert str(client.get_model_version_by_alias(model.name, "champion").version) == "1"


def test_where_everybody_is_the_owner_the_page_says_why_nobody_can_approve(visitor, tmp_path):
    with stele_server(tmp_path) as server:
        client = Client(server.url)
        client.create_registered_model("churn")
        client.protect("churn", alias="champion")
        client.request_approval("churn", "delete_alias", alias="champion", reason="Unused")
        site = visitor(server.url).open("/models/churn")
        card = part(site, "Approval wanted")
        expect(card).to_contain_text("Everybody who opens this server is owner")
        expect(card.get_by_role("button")).to_have_text(["Comment", "Withdraw"])


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


def test_protection_is_begun_on_the_page(signed_in, client, model):
    site = signed_in("noor", model.address)
    site.menu("More", "Protect an alias")
    site.answer("Alias", "shadow", "Protect")
    site.says("Protected shadow")
    with pytest.raises(PermissionDenied):
        client.set_registered_model_alias(model.name, "shadow", "1")


def test_the_event_log_tells_moves_and_words_apart(signed_in, client, model):
    client.request_approval(model.name, "set_alias", alias="champion", version="2", reason="A word")
    client.transition_model_version_stage(model.name, "3", "Production")
    site = signed_in("mara", f"{model.address}?tab=events")
    expect(events(site).filter(has_text="mara registered v3")).to_be_visible()
    expect(events(site).filter(has_text="mara set champion on v1")).to_be_visible()
    moved = events(site).filter(has_text="moved v3 None → Production")
    asked = events(site).filter(has_text="asked to move champion to v2")
    expect(moved).to_be_visible()
    site.page.get_by_role("radio", name="Moves").click()
    expect(events(site).filter(has_text="registered v3")).to_have_count(0)
    expect(moved).to_be_visible()
    site.page.get_by_role("radio", name="Comments").click()
    expect(asked).to_contain_text("A word")
    expect(moved).to_have_count(0)


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
