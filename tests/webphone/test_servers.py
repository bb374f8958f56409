"""The configurations of the servers, as the commands write them."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from webphone.telephony import key_for

SIP = {"portal": "http://127.0.0.1:8000", "origin": "https://portal.example.net/", "carrier": "192.0.2.10:5060"}
TURN = {"host": "192.0.2.1", "media": "192.0.2.2"}


@pytest.fixture
def secret(settings):
    settings.TELEPHONY_SECRET, settings.TELEPHONY_DOMAIN = "s" * 40, "pbx.example.net"
    settings.TELEPHONY_RPC_URL = "http://127.0.0.1:5067"


def written(command, **options):
    out = StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize(("command", "options"), [("telephony_config", SIP), ("turn_config", TURN)])
def test_without_the_secret_that_the_portal_shares_nothing_is_written(settings, command, options):
    settings.TELEPHONY_SECRET = ""
    with pytest.raises(CommandError, match="TELEPHONY_SECRET is not set"):
        written(command, **options)


@pytest.mark.parametrize(("command", "options"), [("telephony_config", SIP), ("turn_config", TURN)])
def test_every_name_is_filled_in_and_the_secret_itself_is_not_in_it(secret, command, options):
    text = written(command, **options)
    commented = "".join(line for line in text.splitlines(True) if not line.startswith("#"))
    assert re.findall(r"@[A-Z_]+@", commented) == []
    assert "pbx.example.net" in text
    assert "s" * 40 not in text


def test_the_sip_server_lets_in_the_telephones_that_were_named(secret):
    text = written("telephony_config", **SIP, phone=["C20001-301:p:w"])
    assert '$sht(phones=>C20001-301) = "p:w";' in text
    assert 'alias="pbx.example.net"' in text
    with pytest.raises(CommandError, match="an address and a port"):
        written("telephony_config", **SIP | {"carrier": "192.0.2.10"})


def test_the_turn_server_speaks_tls_where_it_has_a_certificate(secret):
    lines = written("turn_config", **TURN).splitlines()
    assert {f"static-auth-secret={key_for('turn')}", "allowed-peer-ip=192.0.2.2", "no-tls"} <= set(lines)
    assert "allow-loopback-peers" not in lines
    lines = written("turn_config", **TURN, certificate="/etc/a.pem,/etc/a.key").splitlines()
    assert {"cert=/etc/a.pem", "pkey=/etc/a.key"} <= set(lines)
    assert "no-tls" not in lines
    with pytest.raises(CommandError, match="is two files"):
        written("turn_config", **TURN, certificate="/etc/a.pem")
    assert "allow-loopback-peers" in written("turn_config", host="192.0.2.1", media="127.0.0.1").splitlines()


def test_where_packages_are_missing_it_is_said_which_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)  # who may install them has them installed
    with pytest.raises(CommandError, match=r"sudo apt-get install .*kamailio-websocket-modules .*rtpengine-daemon"):
        call_command("phone")
