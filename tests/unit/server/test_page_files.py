"""The web page: what is answered at its addresses, how it is cached, and that nothing else can be reached there."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from asgi_caller import Caller, config
from stele.server.app import create_app
from stele.server.ui import accepts_gzip

SCRIPT = "assets/index-B3xk_9aQ.js"
FILES = {
    "index.html": f'<!doctype html><script type="module" src="./{SCRIPT}"></script>',
    SCRIPT: "console.log('Stele');" * 100,
    "assets/index-Cq2-77Zd.css": "body { margin: 0 }",
    "assets/Inter-D4kf82la.woff2": "font",
    "favicon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
}
OUTSIDE = [
    "/index.html",
    "/assets/",
    "/assets",
    "/assets/index-00000000.js",
    "/assets/../index.html",
    "/assets/../secret.txt",
    "/../secret.txt",
    "/assets/%2e%2e/%2e%2e/secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/assets/..\\..\\secret.txt",
    "/assets//etc/passwd",
    "//etc/passwd",
    "/secret.txt",
    "/assets/index-B3xk_9aQ.js/",
    "/assets/index-B3xk_9aQ.js\x00",
]


def built(folder: Path) -> Path:
    """A directory with a build in it, and a file beside it that is nobody's business."""
    page = folder / "static"
    for name, text in FILES.items():
        (page / name).parent.mkdir(parents=True, exist_ok=True)
        (page / name).write_text(text)
    (folder / "secret.txt").write_text("secret")
    return page


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[Caller]:
    folder = tmp_path_factory.mktemp("page")
    caller = Caller(create_app(config(folder, host="0.0.0.0", require_token=True), built(folder)))
    yield caller
    caller.close()


def test_the_page_and_its_files_need_no_token(page):
    types = {
        "/": "text/html; charset=utf-8",
        f"/{SCRIPT}": "text/javascript; charset=utf-8",
        "/assets/index-Cq2-77Zd.css": "text/css; charset=utf-8",
        "/assets/Inter-D4kf82la.woff2": "font/woff2",
        "/favicon.svg": "image/svg+xml",
    }
    for address, kind in types.items():
        answer = page("GET", address)
        assert (answer.status, answer.headers["content-type"]) == (200, kind), address
        assert answer.body.decode() == FILES["index.html" if address == "/" else address[1:]]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert page("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0").status == 401


@pytest.mark.parametrize("address", OUTSIDE)
def test_only_files_of_the_build_are_answered(page, address):
    answer = page("GET", address)
    assert (answer.status, answer.code) == (404, "ENDPOINT_NOT_FOUND")


def test_a_file_that_appears_later_is_not_answered(tmp_path):
    folder = built(tmp_path)
    caller = Caller(create_app(config(tmp_path), folder))
    try:
        (folder / "assets" / "later-11111111.js").write_text("x")
        assert caller("GET", "/assets/later-11111111.js").status == 404
    finally:
        caller.close()


def test_files_with_a_hash_are_kept_for_ever_and_the_page_is_asked_for_again(page):
    assert page("GET", f"/{SCRIPT}").headers["cache-control"] == "public, max-age=31536000, immutable"
    for address in ("/", "/favicon.svg"):
        answer = page("GET", address)
        assert answer.headers["cache-control"] == "no-cache"
        tag = answer.headers["etag"]
        for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
            again = page("GET", address, headers={"if-none-match": known})
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert page("GET", address, headers={"if-none-match": '"other"'}).status == 200


def test_texts_are_compressed_for_those_who_accept_it(page):
    plain = page("GET", f"/{SCRIPT}")
    assert "content-encoding" not in plain.headers
    packed = page("GET", f"/{SCRIPT}", headers={"accept-encoding": "br, gzip;q=0.8"})
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert len(packed.body) == int(packed.headers["content-length"]) < len(plain.body)
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] == plain.headers["etag"]
    font = page("GET", "/assets/Inter-D4kf82la.woff2", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in font.headers
    assert "vary" not in font.headers


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("deflate, GZIP", True),
        ("gzip;q=0.001", True),
        ("gzip;q=0", False),
        ("gzip; q=0.00", False),
        ("br", False),
        ("", False),
    ],
)
def test_accept_encoding(header, accepted):
    assert accepts_gzip(header) is accepted


def test_head_has_the_headers_alone(page):
    for headers in ({}, {"accept-encoding": "gzip"}):
        head, whole = page("HEAD", f"/{SCRIPT}", headers=headers), page("GET", f"/{SCRIPT}", headers=headers)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.body))
    assert page("POST", "/", {}).status == 405


def test_the_policy_allows_no_script_but_the_servers_files(page):
    policy = dict(part.split(maxsplit=1) for part in page("GET", "/").headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["worker-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert not any("unsafe" in value or "*" in value for value in policy.values())


def test_the_page_lies_below_the_prefix(tmp_path):
    caller = Caller(create_app(config(tmp_path, static_prefix="/team"), built(tmp_path)))
    try:
        answer = caller("GET", "/team")
        assert (answer.status, answer.headers["location"]) == (307, "/team/")
        assert caller("GET", "/team/").body.decode() == FILES["index.html"]
        assert caller("GET", f"/team/{SCRIPT}").status == 200
        assert caller("GET", "/").status == caller("GET", f"/{SCRIPT}").status == 404
        assert caller("GET", "/team", headers={"host": "evil.example"}).status == 403
    finally:
        caller.close()


def test_without_a_build_the_address_explains_itself(tmp_path):
    caller = Caller(create_app(config(tmp_path), tmp_path / "nothing"))
    try:
        answer = caller("GET", "/")
        assert answer.status == 200
        assert "make ui" in answer.body.decode()
    finally:
        caller.close()
