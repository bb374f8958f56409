"""Reports in the formats of switches and carriers: what is counted, what is skipped, and what is refused."""

import base64
import hashlib
import hmac
import io
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command

from accounts.sealing import seal
from numbers.calls import Format, NotCalls, Reading, understood
from numbers.models import TelephoneSystem
from numbers.reports import BASE64, FORM, PLAIN_FORM, of_file, read
from numbers.reports.kit import Sent
from numbers.reports.tables import of_lines
from numbers.reports.webhooks import NotSigned
from numbers.reports.xml import DEEPEST, parsed
from portal import signatures

AT = datetime(2026, 11, 29, 17, tzinfo=UTC)
EPOCH = int(AT.timestamp())
NUMBER, DIGITS = "+15145550100", 15145550100
MONTREAL = Reading(country="CA", zone=ZoneInfo("America/Toronto"))


def read_csv(text, reading=MONTREAL):
    return read(Sent(text.encode(), "text/csv"), reading)


# FreeSWITCH


def xml_cdr(number=NUMBER, uuid="5d2c", direction="inbound", more=""):
    """What mod_xml_cdr sends: values of variables are percent-encoded, those of the call flow are not."""
    said = {"uuid": uuid, "direction": direction, "start_epoch": str(EPOCH), "sip_req_user": number}
    variables = "".join(f"<{name}>{quote(value, safe='')}</{name}>" for name, value in said.items() if value)
    return (
        f'<?xml version="1.0"?><cdr core-uuid="9f"><channel_data><direction>{direction}</direction></channel_data>'
        f"<variables>{variables}</variables>{more}"
        "<callflow><caller_profile><destination_number>2001</destination_number></caller_profile></callflow>"
        "<callflow><caller_profile><destination_number>+15145550101</destination_number></caller_profile></callflow>"
        "</cdr>"
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (urlencode({"cdr": xml_cdr()}), FORM),
        ("cdr=" + xml_cdr(more='<app_log a="x=1&amp;y=2"/>'), PLAIN_FORM),
        ("cdr=" + base64.b64encode(xml_cdr().encode()).decode(), BASE64),
        (xml_cdr(), "text/xml"),
    ],
)
def test_reports_of_mod_xml_cdr_are_read_in_every_encoding(body, kind):
    calls = read(Sent(body.encode(), kind))
    assert (calls.ids, calls.digits, calls.times) == (["5d2c"], [DIGITS], [AT])


def test_an_xml_report_names_the_first_destination_and_the_id_of_its_address():
    assert read(Sent(xml_cdr(number="").encode(), "text/xml")).digits == [15145550101]
    assert read(Sent(xml_cdr(uuid="").encode(), "text/xml", uuid="a_77")).ids == ["77"]
    skipped = read(Sent(xml_cdr(direction="outbound").encode(), "text/xml"))
    assert (len(skipped), skipped.skipped, skipped.refused) == (0, 1, [])


LAUGHS = '<!DOCTYPE a [<!ENTITY l "ha"><!ENTITY m "&l;&l;&l;&l;">]><a>&m;</a>'
FILE = '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>'
OUTSIDE = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>'


@pytest.mark.parametrize(
    "text",
    [LAUGHS, FILE, OUTSIDE, "<a>" * (DEEPEST + 1), "<a>" + "<b/>" * 60_000 + "</a>", "<a>", "<a>&x;</a>", "<a>\0</a>",
     "<a>\ud800</a>", '<?xml version="1.0" encoding="none-such"?><a', ""],
)  # fmt: skip
def test_xml_that_no_phone_system_writes_is_refused(text):
    with pytest.raises(NotCalls):
        parsed(text)


def test_an_xml_document_without_variables_is_refused_with_a_reason():
    (refused,) = read(Sent(b"<cdr/>", "text/xml")).refused
    assert refused == (1, "A call has an id: a text of 200 characters at most.")


def test_mod_json_cdr_in_base64_is_read():
    report = {"variables": {"uuid": "b6", "start_epoch": str(EPOCH), "sip_req_user": quote(NUMBER, safe="")}}
    encoded = base64.b64encode(json.dumps(report).encode())
    for body in (b"cdr=" + encoded, encoded, b"cdr=" + quote(encoded, safe="").encode()):
        assert read(Sent(body, BASE64)).digits == [DIGITS]


# Asterisk


def cdr_row(dst="5145550100", context="from-carrier", *more):
    row = ["", "+15145550177", dst, context, '"Ann" <+15145550177>', "PJSIP/c-0001", "", "Playback", "hi",
           "2026-11-29 12:00:00", "2026-11-29 12:00:02", "2026-11-29 12:00:30", "30", "28", "ANSWERED",
           "DOCUMENTATION", *more]  # fmt: skip
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n"


@pytest.mark.parametrize(
    ("more", "known_as"),
    [
        ((), "PJSIP/c-0001 2026-11-29 12:00:00"),
        (("a remark",), "PJSIP/c-0001 2026-11-29 12:00:00"),
        (("1795971600.17",), "1795971600.17"),
        (("1795971600.17", "a remark"), "1795971600.17"),
        (("peer", "pbx-1795971600.9", "4"), "pbx-1795971600.9"),
        (("1795971600.17", "a remark", "peer", "1795971600.9", "4"), "1795971600.17"),
    ],
)
def test_master_csv_has_no_heading_and_its_ids_in_any_of_its_columns(more, known_as):
    calls = read_csv(cdr_row("5145550100", "from-carrier", *more))
    assert (calls.ids, calls.digits, calls.times) == ([known_as], [DIGITS], [AT])


def test_the_legs_of_a_call_count_once_and_the_first_says_which_number_was_called():
    legs = cdr_row("s", "x", "1.1", "", "", "1795971600.9", "1") + cdr_row(
        "5145550100", "x", "", "", "", "1795971600.9", "2"
    )
    legs += cdr_row("4165550199", "x", "1.3", "", "", "1795971600.9", "3")
    calls = read_csv(legs)
    assert (set(calls.ids), set(calls.digits)) == ({"1795971600.9"}, {DIGITS})
    assert [place for place, _why in calls.refused] == [1]


def test_two_calls_that_were_bridged_are_two():
    one = cdr_row("5145550100", "x", "1795971600.17", "", "", "1795971600.17", "1")
    other = cdr_row("5145550177", "x", "1795971600.18", "", "", "1795971600.17", "2")
    calls = read_csv(one + other)
    assert (len(set(calls.ids)), calls.digits) == (2, [DIGITS, 15145550177])


def test_blank_lines_and_semicolons_in_texts_do_not_hide_what_a_file_is():
    row = cdr_row("5145550100", "from-carrier", "1795971600.17").replace('"hi"', '"' + "a;" * 30 + '"')
    for text in (row, "\n\r\n" + row):
        assert read_csv(text).digits == [DIGITS]


def test_a_quote_that_stays_open_loses_no_call_without_a_word():
    rows = [f"a{turn},Bob,+15145550100,2026-11-29T12:00:00Z\n" for turn in range(6)]
    rows[1] = rows[1].replace("Bob", '"Bob')
    with pytest.raises(NotCalls, match="This is not CSV"):
        read(Sent("id,name,number,time\n{}".format("".join(rows)).encode(), "text/csv"))


def test_calls_of_other_contexts_are_skipped():
    reading = Reading(country="CA", zone=UTC, contexts=frozenset({"from-carrier", "from-backup"}))
    calls = read_csv(cdr_row() + cdr_row("4165550199", "from-users"), reading)
    assert (calls.digits, calls.skipped, calls.refused) == ([DIGITS], 1, [])


def test_a_table_of_call_records_is_read_by_its_heading():
    text = "calldate,dst,did,dcontext,channel,uniqueid\n2026-11-29 12:00:00,2001,15145550100,in,c,17.1\n"
    calls = read_csv(text)
    assert (calls.ids, calls.digits, calls.times) == (["17.1"], [DIGITS], [AT])


SHORT = (
    "CHAN_START,1795971600.000123,Ann,+15145550177,15145550100,from-carrier,PJSIP/c-0001,,,3,,"
    "1795971600.17,1795971600.17\n"
)
LONG = (
    '"CHAN_START","2026-11-29 12:00:00","Ann","+15145550177","","","15145550100","s","in","PJSIP/c-1","","","3","",'
    '"1795971600.17","1795971600.17","","",""\n'
)
SECOND = SHORT.replace("1795971600.17,", "1795971600.18,").replace("15145550100", "2001")


@pytest.mark.parametrize("begins", [SHORT, LONG])
def test_of_channel_events_the_beginning_of_a_call_counts(begins):
    calls = read_csv(begins + SECOND + begins.replace("CHAN_START", "HANGUP"))
    assert (calls.ids, calls.digits, calls.skipped) == (["1795971600.17"], [DIGITS], 2)
    assert calls.times[0].replace(microsecond=0) == AT


def test_a_table_of_channel_events_is_read_by_its_heading():
    heading = "eventtype;eventtime;cid_dnid;exten;context;uniqueid;linkedid\n"
    assert read_csv(heading + "1;2026-11-29 12:00:00;;15145550100;in;17.1;17.1\n").digits == [DIGITS]


# Kamailio


def acc(**more):
    return {"method": "INVITE", "from_tag": "f1", "to_tag": "", "call_id": "5c1d@198.51.100.7", "code": "200",
            "timestamp": EPOCH, "dst_user": "15145550100"} | more  # fmt: skip


def test_transactions_are_judged_by_method_and_code():
    sent = [
        acc(),
        acc(call_id="b", code="486"),
        acc(method="BYE"),
        acc(call_id="c", code="407"),
        acc(call_id="d", dst_user=""),
    ]
    calls = read(Sent(json.dumps(sent).encode(), "application/json"), MONTREAL)
    assert (calls.ids, calls.skipped) == (["5c1d@198.51.100.7", "b"], 2)
    assert [place for place, _why in calls.refused] == [5]


def test_the_rows_of_the_acc_table_are_read_with_the_zone_of_the_phone_system():
    text = "id,method,from_tag,to_tag,callid,sip_code,sip_reason,time,dst_user\n"
    text += (
        "1,INVITE,f,t,c@x,200,OK,2026-11-29 12:00:00,sip:+15145550100@example.com;user=phone\n2,ACK,f,t,c@x,200,OK,,\n"
    )
    calls = read_csv(text)
    assert (calls.ids, calls.digits, calls.times, calls.skipped) == (["c@x"], [DIGITS], [AT], 1)


# Cisco


CUCM = (
    '"cdrRecordType","globalCallID_callManagerId","globalCallID_callId","dateTimeOrigination",'
    '"originalCalledPartyNumber","finalCalledPartyNumber","dateTimeConnect","origDeviceName","globalCallId_ClusterID"\n'
    "INTEGER,INTEGER,INTEGER,INTEGER,VARCHAR(50),VARCHAR(50),INTEGER,VARCHAR(129),VARCHAR(50)\n"
)


def test_cucm_files_have_two_heading_lines():
    rows = f'1,2,88121,{EPOCH},"\\+15145550100","2001",0,"SIP-Trunk","Main"\n'
    rows += (
        f'1,2,88122,{EPOCH},"914165550199","914165550199",0,"SEP001122334455","Main"\n2,2,88121,{EPOCH},,,,,"Main"\n'
    )
    rows += f'1,2,,{EPOCH},"+15145550100","2001",0,"SIP-Trunk","Main"\n'
    calls = read_csv(CUCM + rows)
    assert (calls.ids, calls.digits, calls.times) == (["2_88121_Main"], [DIGITS], [AT])
    assert (calls.skipped, [place for place, _why in calls.refused]) == (2, [6])


# Webhooks


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def telnyx(event="call.initiated", direction="incoming", stamp=None, body=None, **payload):
    said = {
        "call_session_id": "42",
        "direction": direction,
        "to": NUMBER,
        "start_time": "2026-11-29T17:00:00.1Z",
    } | payload
    event = {"data": {"event_type": event, "id": "0c", "occurred_at": "2026-11-29T17:00:00.12Z", "payload": said}}
    signed = json.dumps(event).encode()
    stamp = str(int(time.time())) if stamp is None else stamp
    signature = base64.b64encode(KEY.sign(f"{stamp}|".encode() + signed)).decode()
    return Sent(body or signed, "application/json", {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature})


def test_a_signed_webhook_of_telnyx_is_an_incoming_call():
    reading = Reading(public_key=PUBLIC)
    calls = read(telnyx(), reading)
    assert (calls.ids, calls.digits, calls.times[0].replace(microsecond=0)) == (["42"], [DIGITS], AT)
    for skipped in (telnyx("call.hangup"), telnyx(direction="outgoing")):
        assert (len(read(skipped, reading)), read(skipped, reading).skipped) == (0, 1)
    assert read(
        telnyx(start_time="", to="sip:15145550100@example.com"), Reading(public_key=PUBLIC, country="CA")
    ).digits


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        (telnyx(), ""),
        (telnyx(), base64.b64encode(bytes(32)).decode()),
        (telnyx(), "no key"),
        (telnyx(body=telnyx().body + b" "), PUBLIC),
        (telnyx(stamp=str(int(time.time()) - 700)), PUBLIC),
        (telnyx(stamp=str(int(time.time()) + 700)), PUBLIC),
        (telnyx(stamp="²"), PUBLIC),
        (Sent(telnyx().body, "application/json"), PUBLIC),
        (Sent(telnyx().body, "application/json", {"telnyx-signature-ed25519": "\N{SNOWMAN}"}), PUBLIC),
    ],
)
def test_a_webhook_of_telnyx_without_its_signature_is_refused(sent, key):
    with pytest.raises(NotSigned):
        read(sent, Reading(public_key=key))


URL = "https://portal.example/calls/7-abc/"
TOKEN = "a token of an account"


def twilio(url=URL, token=TOKEN, signed=None, **more):
    said = {"CallSid": "CA11", "From": "+15145550177", "To": NUMBER, "Direction": "inbound", "CallStatus": "completed",
            "Timestamp": "Sun, 29 Nov 2026 17:00:12 +0000", "CallDuration": "12", "Caller": ""} | more  # fmt: skip
    text = (signed or URL) + "".join(name + said[name] for name in sorted(said))
    signature = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return Sent(urlencode(said).encode(), FORM, {"x-twilio-signature": signature}, url)


def test_a_signed_callback_of_twilio_is_an_incoming_call_that_began_before_it_ended():
    reading = Reading(sealed_token=seal(TOKEN))
    calls = read(twilio(), reading)
    assert (calls.ids, calls.digits, calls.times) == (["CA11"], [DIGITS], [AT])
    assert read(twilio(signed=URL.replace(".example", ".example:443")), reading).ids == ["CA11"]
    assert read(twilio(Direction="outbound-dial"), reading).skipped == 1
    assert read(twilio(CallDuration="9" * 30), reading).times == [AT + timedelta(seconds=12)]
    assert read(twilio(Timestamp="never"), reading).refused


@pytest.mark.parametrize(
    ("sent", "sealed"),
    [
        (twilio(), ""),
        (twilio(), "sealed:00000000:unknown"),
        (twilio(token="another"), None),
        (twilio(url=URL.replace("https", "http")), None),
        (twilio(url=URL + "?x=1"), None),
        (twilio(url=URL[:-1]), None),
        (Sent(twilio().body + b"&Extra=", FORM, twilio().headers, URL), None),
        (Sent(twilio().body, FORM, {}, URL), None),
        (Sent(twilio().body, FORM, {"x-twilio-signature": "\N{SNOWMAN}"}, URL), None),
    ],
)
def test_a_callback_of_twilio_without_its_signature_is_refused(sent, sealed):
    with pytest.raises(NotSigned):
        read(sent, Reading(sealed_token=seal(TOKEN) if sealed is None else sealed))


def test_a_form_with_thousands_of_fields_is_refused():
    with pytest.raises(NotCalls):
        read(Sent(b"a=1&" * 5000, FORM))


# CSV with columns of any name


def test_columns_have_the_names_that_the_phone_system_is_set_to():
    reading = Reading(columns=("Call", "DID", "Started at"), country="CA", zone=UTC)
    calls = read_csv("\ufeffDID;extra;Started at;call\n(514) 555-0100;x;2026-11-29 17:00:00;7\n", reading)
    assert (calls.ids, calls.digits, calls.times) == (["7"], [DIGITS], [AT])
    with pytest.raises(NotCalls, match="missing: Started at"):
        read_csv("Call,DID,time\n", reading)


@pytest.mark.parametrize("text", ["", "\n", "a\n", "x" * 200_000, "id,number,time\n" + "x" * 200_000, "\0", '"' * 9])
def test_what_is_no_table_of_calls_is_refused(text):
    with pytest.raises(NotCalls):
        read_csv(text)


def test_a_request_has_ten_thousand_rows_at_most():
    rows = [f"{n},{NUMBER},{EPOCH}\n" for n in range(10_001)]
    assert len(read_csv("id,number,time\n" + "".join(rows[:-1]))) == 10_000
    with pytest.raises(NotCalls, match="more than 10000"):
        read_csv("id,number,time\n" + "".join(rows))


# The one reader of numbers, and times


@pytest.mark.parametrize(
    ("number", "how", "digits"),
    [
        ("514 555 0100", {"country": "CA"}, DIGITS),
        ("1-514-555-0100", {"country": "CA"}, DIGITS),
        ("011 44 20 7946 0000", {"country": "US"}, 442079460000),
        ("442079460000", {"without_plus": "code"}, 442079460000),
        ("tel:+1-514-555-0100", {}, DIGITS),
        ("sip:+15145550100@198.51.100.7:5060;transport=tcp", {}, DIGITS),
        ("5145550100", {}, None),
        ("442079460000", {"country": "CA"}, None),
        ("442079460000", {"country": "CA", "without_plus": "country"}, None),
        ("2001", {"country": "CA"}, None),
        ("s", {"country": "CA"}, None),
        ("*98", {"country": "CA"}, None),
        ("\ud83d\udcde", {"country": "CA"}, None),
        ("+1514555010" + "0" * 100_000, {"country": "CA"}, None),
    ],
)
def test_numbers_are_read_as_everywhere_or_refused(number, how, digits):
    if digits is None:
        with pytest.raises(ValueError, match=r"\."):
            understood("a", number, EPOCH, AT, Reading(**how))
    else:
        assert understood("a", number, EPOCH, AT, Reading(**how))[1] == digits


def test_times_without_a_zone_are_in_the_zone_of_the_phone_system():
    assert understood("a", NUMBER, "2026-11-29 12:00:00", AT, MONTREAL)[2] == AT
    # Clocks were set back: the hour came twice, and the first is meant.
    twice = understood("a", NUMBER, "2026-11-01T01:30:00", AT, MONTREAL)[2]
    assert twice == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2026-11-29 12:00:01", "Check the clock"),
        ("2026-11-29 12:00:00 Mars/Olympus", "with its zone"),
        ("0001-01-01 00:00:00", "with its zone|Check the clock"),
        ("9999-12-31 23:59:59", "with its zone|Check the clock"),
        ("Sun, 29 Nov 2026 17:00:00 -0000", "with its zone"),
    ],
)
def test_impossible_times_are_refused_in_every_zone(at, why):
    with pytest.raises(ValueError, match=why):
        understood("a", NUMBER, at, AT, MONTREAL)


def test_a_zone_that_is_not_known_is_none():
    for name in ("Mars/Olympus", "../etc/passwd", "", "/etc/localtime"):
        assert TelephoneSystem(time_zone=name).zone is None
    assert TelephoneSystem(time_zone="Europe/Paris").reading.zone == ZoneInfo("Europe/Paris")


# A named format


JSON = json.dumps({"id": "1", "number": NUMBER, "time": EPOCH}).encode()


@pytest.mark.parametrize("form", [one for one in Format if one not in (Format.PORTAL, Format.JSON_CDR, Format.ACC)])
def test_a_phone_system_with_a_format_has_reports_of_another_refused(form):
    with pytest.raises(NotCalls):
        read(Sent(JSON, "application/json"), Reading(format=form))


def test_in_a_list_each_report_of_another_format_is_refused():
    calls = read(Sent(json.dumps([json.loads(JSON), acc()]).encode(), "application/json"), Reading("acc", "CA"))
    assert (len(calls), [place for place, _why in calls.refused]) == (1, [1])
    assert "Kamailio" in calls.refused[0][1]


def test_a_file_in_a_known_format_needs_no_media_type():
    assert read(Sent(cdr_row().encode(), FORM), Reading("cdr", "CA", zone=ZoneInfo("America/Toronto"))).digits == [
        DIGITS
    ]
    with pytest.raises(NotCalls, match="does not fit"):
        read(Sent(b"a,b\n", "text/csv"), Reading("cucm"))
    with pytest.raises(NotCalls, match="CSV"):
        list(of_lines(["a,b"], Reading("telnyx")))


# Files


def counted(text, reading=MONTREAL):
    return [(len(part), part.skipped, len(part.refused)) for part in of_file(io.StringIO(text), reading)]


def test_files_may_be_tables_json_lines_and_documents():
    report = {"variables": {"uuid": "b6", "start_epoch": str(EPOCH), "sip_req_user": NUMBER}}
    out = {"variables": {"uuid": "b7", "direction": "outbound"}}
    some = [acc(), acc(dst_user="s", call_id="z")]
    lines = [json.dumps(report), "", json.dumps(out), "{broken", "[]", json.dumps(some), ""]
    assert counted("\n".join(lines)) == [(2, 1, 2)]
    assert counted(json.dumps([report, acc()], indent=1)) == [(2, 0, 0)]
    assert counted(xml_cdr()) == [(1, 0, 0)]
    # Nobody has signed what is in a file.
    assert counted(telnyx().body.decode(), Reading(public_key=PUBLIC)) == [(0, 0, 1)]
    assert counted("\ufeff" + cdr_row() + cdr_row()) == [(2, 0, 0)]


def test_a_long_file_of_json_lines_is_read_in_parts():
    lines = [
        json.dumps([{"id": f"{line}-{n}", "number": NUMBER, "time": EPOCH} for n in range(4000)]) for line in range(4)
    ]
    assert counted("\n".join(lines)) == [(12_000, 0, 0), (4000, 0, 0)]


@pytest.mark.parametrize("text", ["{\nbroken", "<a>" + "\n" * 8_000_001, LAUGHS])
def test_documents_that_cannot_be_read_say_why(text):
    with pytest.raises(NotCalls):
        counted(text, Reading(public_key=PUBLIC))


@pytest.mark.django_db
def test_the_command_reads_with_the_settings_of_the_phone_system(token_of, system, tmp_path: Path):
    token_of(system, "PBX", country="CA", time_zone="America/Toronto", format="cdr", contexts="from-carrier")
    path, out = tmp_path / "Master.csv", io.StringIO()
    path.write_bytes((cdr_row() + cdr_row("s", "internal") + cdr_row("2001")).encode() + b'"\xe9"\n')
    call_command("record_calls", str(path), "--system", "pbx", stdout=out, stderr=io.StringIO())
    said = "0 calls taken down, 0 known before, 1 to other numbers, 1 refused, 2 skipped (no incoming calls)"
    assert out.getvalue().strip() == said
    path.write_text("id,number,time\n")
    with pytest.raises(CommandError, match="does not fit"):
        call_command("record_calls", str(path), "--system", "pbx")


# Signatures


def test_a_public_key_has_thirty_two_bytes():
    assert signatures.is_public_key(PUBLIC)
    assert not any(map(signatures.is_public_key, ("", "x", PUBLIC[:-4], "\N{SNOWMAN}" * 44)))
