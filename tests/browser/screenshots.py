"""Pictures of every page, to be looked at; two of them are the README's.

PYTHONPATH=tests:tests/browser python -m screenshots --folder screenshots
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import seeds
from pages import Site, launch, new_context
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from servers import stele_server
from stele.client.client import Client

DOCS = Path(__file__).parents[2] / "docs" / "images"
_MOST_BYTES = 250_000
_SIZES = ((1280, 800), (1440, 900), (2560, 1440))
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<match target="pattern"><test name="family" compare="eq" qual="any"><string>sans-serif</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
<match target="pattern"><test name="family" compare="eq" qual="any"><string>sans</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
<match target="pattern"><test name="family" compare="eq" qual="any"><string>system-ui</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
</fontconfig>"""
"""With Debian's fonts-inter the system's face is Inter."""


def seed(client: Client, folder: Path) -> dict[str, str]:
    """A team's work of some days; answers with what the addresses need."""
    chance = random.Random(7)
    experiment = client.create_experiment("resnet50-imagenet-finetune")
    client.set_experiment_tag(experiment, "team", "vision")
    now = int(time.time() * 1000)
    runs = [_one_run(client, experiment, number, now, chance) for number in range(48)]
    for name in ("churn-uplift", "ocr-receipts", "voice-wakeword", "traffic-forecast"):
        other = client.create_experiment(name)
        for number in range(chance.randrange(3, 9)):
            start = now - chance.randrange(1, 25) * 86_400_000
            seeds.new_run(client, other, f"{name}-{number}", metrics={"loss": chance.random()}, start=start)
    best = runs[-5]
    client.log_inputs(best, [seeds.dataset("imagenet-subset", 1_281_167)])
    note = (
        "# Cosine schedule\n\nWarm-up of **5 epochs**, then cosine. See `train.py`.\n\n- [x] label smoothing\n- [ ] EMA"
    )
    client.set_tag(best, "mlflow.note.content", note)
    table = "epoch,split,accuracy\n" + "".join(f"{i},val,{0.6 + i / 100:.3f}\n" for i in range(30))
    seeds.put(client, best, folder, {"figures/confusion.png": seeds.picture("#3155c4", 240), "results.csv": table})
    for run in (runs[3], runs[11], best):
        version = seeds.model_version(client, "resnet50-quality", run, folder)
    client.set_registered_model_alias("resnet50-quality", "champion", "2")
    client.protect("resnet50-quality", alias="champion")
    reason = "Better on all slices, and 4 ms faster."
    client.request_approval("resnet50-quality", "set_alias", alias="champion", version=version, reason=reason)
    compared = quote(json.dumps([best, runs[11], runs[3]]))
    return {"E": experiment, "R": best, "B": runs[3], "runs": compared, "V": version, "C": quote(json.dumps(COLUMNS))}


def _one_run(client: Client, experiment: str, number: int, now: int, chance: random.Random) -> str:
    rate = chance.choice([3e-4, 1e-3, 3e-3, 1e-2])
    optimizer = chance.choice(["adamw", "sgd", "lion"])
    steps, level = 90, 0.62 + 0.05 * chance.random() + (0.06 if optimizer == "adamw" else 0)
    start = now - (48 - number) * 2_700_000
    noise = [chance.gauss(0, 1) for _ in range(steps)]
    points = []
    for key, low, span in (("train/loss", 0.6, 3.2), ("val/loss", 0.8, 2.8)):
        fall = 0.03 + rate * 8
        values = [low + span * math.exp(-fall * i) + 0.04 * noise[i] for i in range(steps)]
        points += seeds.curve(key, values, start)
    rise = [level * (1 - math.exp(-0.06 * i)) + 0.006 * noise[-i] for i in range(steps)]
    points += seeds.curve("val/accuracy", rise, start) + seeds.curve("val/f1", [0.96 * v for v in rise], start)
    points += seeds.curve("train/accuracy", [min(0.99, 1.1 * v) for v in rise], start)
    points += seeds.curve(
        "train/grad_norm", [0.4 + 2 * math.exp(-0.05 * i) + 0.05 * noise[i] for i in range(steps)], start
    )
    params = {
        "lr": f"{rate:g}",
        "optimizer": optimizer,
        "batch_size": str(chance.choice([128, 256, 512])),
        "label_smoothing": chance.choice(["0", "0.1"]),
        "schedule": chance.choice(["cosine", "step"]),
    }
    status = "RUNNING" if number > 45 else "FAILED" if number in (8, 30) else "FINISHED"
    name = f"rn50-{optimizer}-{chance.choice(['cosine', 'wide', 'smooth', 'mix'])}-{number:02}"
    return seeds.new_run(client, experiment, name, params=params, points=points, start=start, status=status)


COLUMNS = (
    "a:status a:start_time p:optimizer p:lr p:batch_size m:val/accuracy m.curve:val/accuracy m:val/f1 m:val/loss "
    "m.curve:val/loss"
).split()
PAGES = {
    "experiments": "/experiments",
    "runs": "/experiments/{E}?c={C}&s=%5B%22-m:val/accuracy%22%5D&pin=%5B%22{B}%22%5D&base={B}"
    "&heat=%5B%22m:val/f1%22%5D",
    "groups": "/experiments/{E}?g=%5B%22p:optimizer%22%5D",
    "charts": "/experiments/{E}/charts?ch=%7B%22sm%22:%22ema%22%7D",
    "compare": "/experiments/{E}/compare?runs={runs}",
    "run": "/experiments/{E}/runs/{R}?base={B}",
    "artifacts": "/experiments/{E}/runs/{R}/artifacts/results.csv",
    "models": "/models",
    "model": "/models/resnet50-quality",
    "version": "/models/resnet50-quality/versions/{V}",
    "empty": "/experiments/0",
}
README = ("runs", "charts")


def draw(browser: Browser, url: str, world: dict[str, str], folder: Path, *, readme: bool) -> None:
    """Take every page in every size and theme, or only the README's two."""
    pages = {name: PAGES[name] for name in README} if readme else PAGES
    for width, height in _SIZES[1:2] if readme else _SIZES:
        for theme in ("light",) if readme else ("light", "dark"):
            context = new_context(browser, theme=theme, width=width, height=height)
            site = Site(context.new_page(), url)
            for name, address in pages.items():
                site.page.goto("about:blank")
                site.open(address.format(**world))
                site.page.get_by_role("heading", level=1).first.wait_for()
                _settle(site)
                picture = site.page.screenshot(animations="disabled")
                (folder / f"{name}-{theme}-{width}.png").write_bytes(picture)
                if name in README and theme == "light" and width == 1440:
                    DOCS.mkdir(parents=True, exist_ok=True)
                    (DOCS / f"{name}.png").write_bytes(smaller(picture))
            context.close()


def _settle(site: Site) -> None:
    """Wait until nothing is loading, and no request was made for a while."""
    quiet = "() => !document.querySelector('.loading, .trow.sk, .refreshing.on, [aria-busy=true]')"
    for _ in range(3):
        site.page.wait_for_function(quiet)
        site.page.wait_for_timeout(400)


def smaller(picture: bytes) -> bytes:
    """The same picture; one of more than 250 kB in 256 colours."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    if len(stream.getvalue()) > _MOST_BYTES:
        stream = io.BytesIO()
        image.quantize(256, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return stream.getvalue()


@contextmanager
def inter() -> Iterator[None]:
    """The face of the mocks for whatever asks for the system's."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(_FONTS)
        config.flush()
        os.environ["FONTCONFIG_FILE"] = config.name
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("screenshots"))
    parser.add_argument("--readme", action="store_true", help="only the pictures of the README")
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, inter(), stele_server(Path(place)) as server:
        os.environ["STELE_JOURNAL_DIR"] = f"{place}/journal"
        world = seed(Client(server.url), Path(place) / "files")
        with sync_playwright() as playwright:
            browser = launch(playwright)
            draw(browser, server.url, world, folder, readme=options.readme)
            browser.close()


if __name__ == "__main__":
    main()
