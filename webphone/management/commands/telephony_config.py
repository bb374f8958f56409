"""``manage.py telephony_config``: the configuration of the SIP server, with this portal's keys in it."""

import os
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webphone.telephony import sip_data
from webphone.telephony.servers import Places, configuration


class Command(BaseCommand):
    help = "Write the configuration of Kamailio: see docs/telephony.md. Keys are in it: keep it from others."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--portal", required=True, help="where the server reports calls to the portal")
        parser.add_argument("--origin", required=True, help="the portal's address as browsers have it, https://…")
        parser.add_argument("--host", default="127.0.0.1", help="the address for phones and carrier")
        parser.add_argument("--carrier", required=True, help="address:port of the carrier; its calls are let in")
        parser.add_argument("--trunk", action="append", default=[], help="address that calls come in from, too")
        parser.add_argument(
            "--calls-token", default="", help="of a phone system; better in the environment: CALLS_TOKEN"
        )
        parser.add_argument("--data", default=Places.data, help="the file for phones")
        parser.add_argument("--state", default=Places.state, help="the file for calls and registrations, in memory")
        parser.add_argument("--output", help="the file to write, mode 0600; without it, standard output")

    def handle(self, *args, **options):
        if not settings.TELEPHONY_SECRET:
            raise CommandError("TELEPHONY_SECRET is not set: the portal and the SIP server share it.")
        host, _colon, port = options["carrier"].rpartition(":")
        try:
            ip_address(host)
            port = int(port)
        except ValueError as wrong:
            raise CommandError("--carrier is an address and a port, as in 192.0.2.10:5060.") from wrong
        rpc = urlsplit(settings.TELEPHONY_RPC_URL).port or 5067
        places = Places(
            portal=options["portal"],
            origin=options["origin"].rstrip("/"),
            domain=settings.TELEPHONY_DOMAIN,
            host=options["host"],
            rpc=rpc,
            carrier=(host, port),
            trunks=options["trunk"],
            calls_token=options["calls_token"] or os.environ.get("CALLS_TOKEN", ""),
            longest=settings.CALL_MINUTES * 60,
            at_once=settings.CALLS_AT_ONCE,
            data=options["data"],
            state=options["state"],
        )
        text = configuration(places)
        if options["output"] is None:
            self.stdout.write(text)
            return
        path = Path(options["output"])
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
        for file in (places.data, places.state):
            sip_data.create(Path(file))
