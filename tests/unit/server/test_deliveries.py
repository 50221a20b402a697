"""Delivering webhooks, and what a server does not speak to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import logging
import socket
import threading

import pytest

from stele.errors import PermissionDenied, Unavailable
from stele.schema import registered_models as rm
from stele.schema import runs as r
from stele.schema import webhooks as wh
from stele.server.outbound import Rules, is_public, post
from stele.server.webhooks import WebhookService
from stele.stores.sql import SqlStore
from stele.stores.sql.model_tables import webhook_deliveries
from stele.testing.registry_calls import new_model, new_version, set_alias, to_stage
from stele.testing.webhooks import new_webhook

HERE = Rules(("http",), private=True, seconds=5)


class Receiver:
    """A server that keeps what it is sent, and answers as it is told to."""

    def __init__(self):
        self.received = []
        self.status = 200
        self.location = ""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()
                self.wfile.write(b"x" * 100_000)

            def do_GET(self):
                self.do_POST()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def told(self):
        return [json.loads(body) for _, _, body in self.received]


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_WEBHOOK_ALLOWED_SCHEMES", "https,http")
    monkeypatch.setenv("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "true")
    with SqlStore(f"sqlite:///{tmp_path}/s.db", str(tmp_path / "files")) as store:
        yield store


def waiting(store):
    return store.db.read(lambda c: c.execute(webhook_deliveries.select()).all())


def make_due(store):
    store.db.write(lambda c: c.execute(webhook_deliveries.update().values(due_time=0)))


def test_every_event_arrives_signed(store, receiver):
    names = sorted(wh.EVENTS)
    new_webhook(store, *names, url=receiver.url, secret="s3cret")
    name = new_model(store, team="x")
    new_version(store, name, description="d", tags=[rm.ModelVersionTag("a", "1")])
    store.set_model_version_tag(rm.SetModelVersionTag(name=name, version="1", key="k", value="v"))
    store.delete_model_version_tag(rm.ModelVersionTagName(name=name, version="1", key="k"))
    set_alias(store, name, "champion", "1")
    store.delete_registered_model_alias(rm.RegisteredModelAliasName(name=name, alias="champion"))
    to_stage(store, name, "1", "Staging", reason="tested")
    run = store.create_run(r.CreateRun(experiment_id="0", run_name="amber")).run.info.run_id
    store.update_run(r.UpdateRun(run_id=run, status="FAILED", end_time=1))
    store.update_run(r.UpdateRun(run_id=run, run_name="other"))
    prompt = new_model(store, **{"mlflow.prompt.is_prompt": "true"})
    assert WebhookService(store).deliver_due() == 9
    assert waiting(store) == []
    told = {f"{item['entity']}.{item['action']}": item["data"] for item in receiver.told}
    assert told == {
        "registered_model.created": {"name": name, "tags": {"team": "x"}, "description": ""},
        "model_version.created": {
            "name": name,
            "version": "1",
            "source": "s3://bucket/model",
            "run_id": "",
            "tags": {"a": "1"},
            "description": "d",
        },
        "model_version_tag.set": {"name": name, "version": "1", "key": "k", "value": "v"},
        "model_version_tag.deleted": {"name": name, "version": "1", "key": "k", "value": ""},
        "model_version_alias.created": {"name": name, "alias": "champion", "version": "1"},
        "model_version_alias.deleted": {"name": name, "alias": "champion", "version": "1"},
        "model_version_stage.changed": {
            "name": name,
            "version": "1",
            "from_stage": "None",
            "to_stage": "Staging",
            "reason": "tested",
        },
        "run.finished": {"run_id": run, "run_name": "amber", "experiment_id": "0", "status": "FAILED"},
        "prompt.created": {"name": prompt, "tags": {"mlflow.prompt.is_prompt": "true"}, "description": ""},
    }
    for _, headers, body in receiver.received:
        signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.{body.decode()}".encode()
        expected = base64.b64encode(hmac.new(b"s3cret", signed, hashlib.sha256).digest()).decode()
        assert headers["X-MLflow-Signature"] == f"v1,{expected}"


def test_who_did_not_ask_is_not_told(store, receiver):
    new_webhook(store, "run.finished", url=receiver.url)
    new_webhook(store, "registered_model.created", url=receiver.url, status=wh.WebhookStatus.DISABLED)
    new_model(store)
    assert waiting(store) == []


def test_what_was_rolled_back_is_not_told(store, receiver):
    new_webhook(store, "model_version_alias.created", url=receiver.url)
    name = new_model(store)
    with pytest.raises(Exception, match="no version"):
        set_alias(store, name, "champion", "9")
    assert waiting(store) == []


def test_a_delivery_is_tried_again_and_given_up(store, receiver, caplog):
    new_webhook(store, "registered_model.created", url=receiver.url, secret="s3cret")
    receiver.status = 500
    new_model(store)
    service = WebhookService(store)
    caplog.set_level(logging.DEBUG)
    for attempt in range(1, 7):
        assert len(waiting(store)) == 1
        assert service.deliver_due() == 1
        assert service.deliver_due() == 0  # not yet
        assert len(receiver.received) == attempt
        make_due(store)
    assert waiting(store) == []
    assert len({headers["X-MLflow-Delivery-Id"] for _, headers, _ in receiver.received}) == 1
    assert "given up" in caplog.text
    assert "s3cret" not in caplog.text


def test_what_waits_outlives_the_server(store, receiver, tmp_path):
    new_webhook(store, "registered_model.created", url=receiver.url)
    new_model(store)
    with SqlStore(f"sqlite:///{tmp_path}/s.db", str(tmp_path / "files")) as other:
        taken = other.take_deliveries(10)
        assert len(taken) == 1
        assert WebhookService(store).deliver_due() == 0  # it belongs to the other one, which is killed now
    make_due(store)
    service = WebhookService(store)
    service.start()
    for _ in range(100):
        if receiver.received:
            break
        threading.Event().wait(0.1)
    service.stop()
    assert len(receiver.received) == 1
    assert waiting(store) == []


def test_the_queue_is_bounded(store, receiver, monkeypatch, caplog):
    monkeypatch.setattr("stele.stores.sql.webhooks._MOST_WAITING", 2)
    new_webhook(store, "registered_model.created", url=receiver.url)
    for _ in range(3):
        new_model(store)
    assert len(waiting(store)) == 2
    assert "wait" in caplog.text


def test_a_webhook_is_tried_at_once(store, receiver):
    made = new_webhook(store, "model_version.created", url=receiver.url)
    service = WebhookService(store)
    result = service.test_webhook(wh.TestWebhook(webhook_id=made.webhook_id)).result
    assert (result.success, result.response_status, len(result.response_body)) == (True, 200, 1_000)
    assert receiver.told[0]["data"]["name"] == "example"
    receiver.status, receiver.location = 302, receiver.url
    result = service.test_webhook(wh.TestWebhook(webhook_id=made.webhook_id)).result
    assert (result.success, result.response_status) == (False, 302)
    assert len(receiver.received) == 2  # the redirect was not followed
    for name in wh.EVENTS:
        event = wh.WebhookEvent.from_str(name)
        service.test_webhook(wh.TestWebhook(webhook_id=made.webhook_id, event=event))
    receiver.close()
    result = service.test_webhook(wh.TestWebhook(webhook_id=made.webhook_id)).result
    assert (result.success, result.response_status) == (False, None)
    assert result.error_message
    receiver.__init__()  # for the fixture to close


# What a server does not speak to


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_public_addresses(address, public):
    assert is_public(address) is public


def resolving_to(monkeypatch, *answers):
    """Let the name service give these answers, one after the other."""
    left = list(answers)

    def getaddrinfo(_host, port, **_options):
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["169.254.169.254"]])
def test_a_name_of_a_private_address_is_refused(monkeypatch, receiver, addresses):
    resolving_to(monkeypatch, addresses)
    port = receiver.server.server_address[1]
    with pytest.raises(PermissionDenied, match="private"):
        post(f"http://rebind.example:{port}/", b"{}", {}, Rules(("http",), private=False, seconds=5))
    assert receiver.received == []


def test_the_address_that_was_checked_is_the_one_that_is_used(monkeypatch, receiver):
    """A name service that answers differently the second time changes nothing, because there is no second time."""
    asked = []
    monkeypatch.setattr("stele.server.outbound.is_public", lambda address: asked.append(address) or True)
    resolving_to(monkeypatch, ["127.0.0.1"], ["10.255.255.1"])
    port = receiver.server.server_address[1]
    answer = post(f"http://rebind.example:{port}/a?b=c", b"{}", {}, Rules(("http",), private=False, seconds=5))
    assert (answer.status, asked) == (200, ["127.0.0.1"])
    path, headers, _ = receiver.received[0]
    assert (path, headers["Host"]) == ("/a?b=c", f"rebind.example:{port}")


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com", "https://u:p@example.com/", "http://", "x"],
)
def test_other_addresses_are_refused(url):
    with pytest.raises(PermissionDenied):
        post(url, b"", {}, Rules(("http", "https"), private=True, seconds=1))


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "localhost"])
def test_other_ways_to_write_this_machine_are_refused(host, receiver):
    port = receiver.server.server_address[1]
    with pytest.raises((PermissionDenied, Unavailable)):
        post(f"http://{host}:{port}/", b"", {}, Rules(("http",), private=False, seconds=2))
    assert receiver.received == []


def test_a_server_that_never_finishes_is_left():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        stop = threading.Event()

        def drip():
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"X")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(Unavailable):
            post(url, b"", {}, Rules(("http",), private=True, seconds=0.5))
        stop.set()
        thread.join()


def test_https_checks_the_certificate(receiver):
    with pytest.raises(Unavailable, match="SSL"):
        post(receiver.url.replace("http:", "https:"), b"", {}, Rules(("https",), private=True, seconds=5))
