"""Health, figures, headers, and a database that goes away."""

import pytest
from django.db import OperationalError
from django.urls import reverse

from tests.factories import make_account, make_person

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'"


def test_alive_needs_no_database(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_while_the_database_answers(client):
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_every_answer_has_the_rules_for_the_browser(client):
    make_person(make_account("var"))
    for path in ("/login/", "/healthz", "/no/such/page/"):
        response = client.get(path)
        assert response["Content-Security-Policy"].startswith(POLICY)
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] == "same-origin"
        assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_a_database_that_is_away_gives_503_and_the_next_request_tries_again(client, monkeypatch):
    person = make_person(make_account("var"), role="administrator")
    client.force_login(person)
    client.raise_request_exception = False
    path = reverse("numbers:list", args=[person.account.code])
    with monkeypatch.context() as away:

        def refuse(*args, **kwargs):
            raise OperationalError("connection refused")

        away.setattr("django.db.backends.utils.CursorWrapper.execute", refuse)
        away.setattr("portal.errors.connection.close", lambda: None)
        response = client.get(path)
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert "try again" in response.text.lower()
    assert client.get(path).status_code == 200


@pytest.mark.django_db
def test_metrics_are_for_this_machine_or_for_the_token(client, settings):
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 403
    for name in (
        "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host", "X-Forwarded-Proto", "CF-Connecting-IP", "True-Client-IP",
        "X-Cluster-Client-IP", "X-Remote-Addr", "X-Original-For", "X-ProxyUser-Ip",
    ):  # fmt: skip
        assert client.get("/metrics", headers={name: "192.0.2.1"}).status_code == 403
    # Behind a proxy every request is from this machine, and not every proxy says so.
    settings.BEHIND_PROXY = True
    assert client.get("/metrics").status_code == 403
    settings.METRICS_TOKEN = "secret"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer secret"}).status_code == 200
