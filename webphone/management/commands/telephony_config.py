"""``manage.py telephony_config``: the configuration of the SIP server, with this portal's keys in it."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webphone.telephony.servers import Places, configuration


class Command(BaseCommand):
    help = "Write what Kamailio reads: see docs/telephony.md. Keys are in it: keep it from others."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--portal", required=True, help="where the server tells the portal how calls go")
        parser.add_argument("--origin", required=True, help="the portal's address as browsers have it, https://…")
        parser.add_argument("--host", default="127.0.0.1", help="the address for telephones and carrier")
        parser.add_argument("--carrier", required=True, help="address:port of the carrier; its calls are let in")
        parser.add_argument("--calls-token", default="", help="of a phone system of the operator's")
        parser.add_argument("--phone", action="append", default=[], help="name:password, as in C20001-301:…")

    def handle(self, *args, **options):
        if not settings.TELEPHONY_SECRET:
            raise CommandError("TELEPHONY_SECRET is not set: the portal and the SIP server share it.")
        host, _colon, port = options["carrier"].rpartition(":")
        if not host or not port.isdigit():
            raise CommandError("--carrier is an address and a port, as in 192.0.2.10:5060.")
        rpc = urlsplit(settings.TELEPHONY_RPC_URL).port or 5067
        places = Places(
            portal=options["portal"],
            origin=options["origin"].rstrip("/"),
            domain=settings.TELEPHONY_DOMAIN,
            host=options["host"],
            rpc=rpc,
            carrier=(host, int(port)),
            calls_token=options["calls_token"],
            longest=settings.CALL_MINUTES * 60,
            phones=dict(phone.split(":", 1) for phone in options["phone"]),
        )
        self.stdout.write(configuration(places))
