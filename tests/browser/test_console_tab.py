"""What a running program prints, on the page of its run."""

import re

from playwright.sync_api import expect

from stele.client.console_recorder import ConsoleRecorder


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_the_console_of_a_running_run_grows_until_it_ends(site, client, new_experiment):
    run = client.create_run(new_experiment("console"), run_name="talking")
    clock = Clock()
    recorder = ConsoleRecorder(client, run, clock=clock)

    def prints(text):
        """A part with this text is stored."""
        recorder.hear(text)
        clock.now += 600
        recorder.advance()

    site.open(f"/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/logs")
    expect(site.page.get_by_text("start_run(log_console=True)")).to_be_visible()
    client.log_text(run.info.run_id, "of a worker\n", "logs/worker.log")
    prints("epoch 1\n")
    log = site.page.get_by_role("log", name="Console")
    lines = log.locator("div").filter(has_text=re.compile("."))
    expect(lines).to_have_text(["epoch 1"])
    expect(site.page.get_by_role("combobox", name="Log").get_by_role("option")).to_have_text(
        ["Console", "logs/worker.log"]
    )
    prints("\x1b[32mepoch 2\x1b[0m\n")
    prints("\r 10 %")
    expect(lines).to_have_text(["epoch 1", "epoch 2", " 10 %"])
    prints("\r100 %\n")
    expect(lines).to_have_text(["epoch 1", "epoch 2", "100 %"])
    recorder.hear("the end")
    recorder.advance(last=True)
    client.set_terminated(run.info.run_id)
    expect(lines).to_have_text(["epoch 1", "epoch 2", "100 %", "the end"])
    expect(site.page.get_by_role("switch", name="Follow")).to_have_count(0)
    asked = [request.headers.get("range") for request in site.requests if "console%2F000001" in request.url]
    assert asked == ["bytes=-8"]  # what is written once is read once
    site.page.get_by_role("textbox", name="Search lines").fill("EPOCH 2")
    expect(lines).to_have_text(["epoch 2"])
