"""What two people decide about a model: protection, requests, comments, and what the record tells of it."""

import pytest
from pages import Site
from playwright.sync_api import expect
from registry_page import PEOPLE, events, part, tells, version

from servers import stele_server
from stele.client.client import Client
from stele.errors import PermissionDenied


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
