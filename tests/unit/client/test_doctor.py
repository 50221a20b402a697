import stele


def test_it_tells_what_matters_and_no_secret(capsys, monkeypatch):
    monkeypatch.setenv("STELE_TRACKING_TOKEN", "canary")
    monkeypatch.setenv("STELE_HTTP_RETRIES", "3")
    stele.doctor()
    text = capsys.readouterr().out
    assert "The store answers: yes" in text
    assert "STELE_HTTP_RETRIES: 3" in text
    assert "sqlalchemy" in text
    assert "canary" not in text
    stele.doctor(mask_envs=True)
    assert "STELE_HTTP_RETRIES: ***" in capsys.readouterr().out


def test_a_store_that_does_not_answer_is_told(capsys):
    stele.set_tracking_uri("postgresql://ann:canary@127.0.0.1:1/none")
    stele.doctor()
    text = capsys.readouterr().out
    assert "The store answers: no" in text
    assert "canary" not in text
