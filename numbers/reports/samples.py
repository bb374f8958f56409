"""How a phone system is set up to report its calls: a sample for each format, ready to paste."""

from numbers.calls import Format

PORTAL = """curl {url} \\
  -H "Authorization: Bearer $TOKEN" \\
  -d '{{"id": "1764090000.17", "number": "+15145550100", "time": "2027-01-31T17:00:00Z"}}'"""
JSON_CDR = """<!-- json_cdr.conf.xml -->
<param name="url" value="{url}"/>
<param name="cred" value="portal:TOKEN"/>
<param name="log-b-leg" value="false"/>"""
FILE = """curl {url} \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: text/csv" \\
  --data-binary @{name}"""
ACC = """# kamailio.cfg
modparam("acc_json", "acc_flag", 1)
modparam("acc_json", "acc_extra", "dst_user=$rU")
modparam("acc_json", "acc_output_mqueue", "calls")
# for each record of the queue:
http_client_query("{url}", "$mqv(calls)", "Authorization: Bearer TOKEN", "$var(answer)");"""
TELNYX = """Webhook URL of the SIP connection or Voice API application:
{signed_url}"""
TWILIO = """Status callback URL of the number, with POST:
{signed_url}"""
SAMPLES = {
    Format.JSON_CDR: JSON_CDR,
    Format.XML_CDR: JSON_CDR.replace("json_cdr", "xml_cdr"),
    Format.CDR: FILE.replace("{name}", "Master.csv"),
    Format.CEL: FILE.replace("{name}", "Master.csv"),
    Format.CUCM: FILE.replace("{name}", "cdr_StandAloneCluster_01_202701311700_1"),
    Format.CSV: FILE.replace("{name}", "calls.csv"),
    Format.ACC: ACC,
    Format.TELNYX: TELNYX,
    Format.TWILIO: TWILIO,
}


def sample_of(form: str, url: str, signed_url: str) -> str:
    """The sample of a format, or of our own JSON: with the address for a token, or with the signed one."""
    return SAMPLES.get(form, PORTAL).format(url=url, signed_url=signed_url)
