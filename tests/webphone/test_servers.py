"""The configurations of the servers, as the commands write them."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from webphone.telephony import key_for, sip_data

SIP = {"portal": "http://127.0.0.1:8000", "origin": "https://portal.example.net/", "carrier": "192.0.2.10:5060"}
TURN = {"host": "192.0.2.1", "media": "192.0.2.2"}


@pytest.fixture
def secret(settings):
    settings.TELEPHONY_SECRET, settings.TELEPHONY_DOMAIN = "s" * 40, "pbx.example.net"
    settings.TELEPHONY_RPC_URL = "http://127.0.0.1:5067"


def written(command, *asked, **options):
    out = StringIO()
    call_command(command, *asked, stdout=out, **options)
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


def test_the_sip_server_lets_in_the_trunks_that_were_named(secret):
    text = written("telephony_config", **SIP, trunk=["192.0.2.11", "192.0.2.12:5060"])
    sources = re.findall(r"(?m)^\t\$sht\(carriers=>(\S+)\) = 1;$", text)
    assert sources == ["192.0.2.10", "192.0.2.11", "192.0.2.12:5060"]
    assert 'alias="pbx.example.net"' in text
    for wrong in ("192.0.2.10", "carrier.example.net:5060", "192.0.2.10:x", ":5060"):
        with pytest.raises(CommandError, match="an address and a port"):
            written("telephony_config", **SIP | {"carrier": wrong})


def test_the_configuration_is_written_with_the_servers_file_and_nobody_else_reads_either(secret, tmp_path):
    config, data, state = (tmp_path / name for name in ("kamailio.cfg", "portal.sqlite", "state.sqlite"))
    for _turn in range(2):  # again, what is there stays
        written("telephony_config", **SIP, output=str(config), data=str(data), state=str(state))
        assert [path.stat().st_mode & 0o777 for path in (config, data, state)] == [0o600, 0o600, 0o600]
        sip_data.set_phone(data, "C20001-301", "pbx.example.net", "secret of the phone")
    assert sip_data.phones(data) == ["C20001-301"]
    assert all(f"sqlite:///{path}" in config.read_text() for path in (data, state))


@pytest.fixture
def data(tmp_path, secret):
    path = tmp_path / "portal.sqlite"
    sip_data.create(path)
    return path


def test_a_phone_is_added_without_its_password_on_a_command_line(data, monkeypatch):
    said = written("sip_phone", "add", "C20001-301", data=str(data))
    password = re.fullmatch(r"The password of C20001-301 is (\S{24})\.\n", said)[1]
    monkeypatch.setattr("sys.stdin", StringIO("another long password\n"))
    said = written("sip_phone", "add", "C20001-302", data=str(data), password_stdin=True)
    assert said == "The password of C20001-302 is set.\n"
    assert written("sip_phone", "list", data=str(data)) == "C20001-301\nC20001-302\n"
    # The file has hashes alone (RFC 2617).
    for name, known in (("C20001-301", password), ("C20001-302", "another long password")):
        assert known.encode() not in data.read_bytes()
        with sip_data.opened(data) as rows:
            kept = rows.execute("SELECT ha1 FROM subscriber WHERE username = ?", [name]).fetchall()
        assert kept == [(sip_data.ha1(name, "pbx.example.net", known),)]
    written("sip_phone", "remove", "C20001-301", data=str(data))
    assert sip_data.phones(data) == ["C20001-302"]


def test_what_is_wrong_with_a_phone_is_said(data, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stdin", StringIO("short\n"))
    for asked, sentence in (
        (["add", "call-back"], "the code of its account and its extension"),
        (["add", ""], "the code of its account and its extension"),
        (["add", "C20001-301", "--password-stdin"], "fewer than 12 characters"),
        (["remove", "C20001-301"], "There is no phone C20001-301"),
    ):
        with pytest.raises(CommandError, match=sentence):
            written("sip_phone", *asked, data=str(data))
    with pytest.raises(CommandError, match="does not exist"):
        written("sip_phone", "list", data=str(tmp_path / "none"))
    assert sip_data.phones(data) == []


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
