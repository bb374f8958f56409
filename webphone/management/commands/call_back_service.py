"""``manage.py call_back_service``: rings people's own telephones for calls that they began in the portal."""

from threading import Thread

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.logs import last_resort
from webphone.telephony import key_for


class Command(BaseCommand):
    help = "Run the call-back service: see docs/telephony.md."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1", help="the address at which telephones reach it")
        parser.add_argument("--sip-port", type=int, default=5070)
        parser.add_argument("--port", type=int, default=5071, help="of its interface, on the loopback address")
        parser.add_argument("--proxy", default="127.0.0.1:5060", help="the SIP server")
        parser.add_argument("--rings", type=int, default=45, help="seconds that each side rings")
        parser.add_argument("--portal", default="http://127.0.0.1:8000", help="what is told how calls go")

    def handle(self, *args, **options):
        last_resort()
        if not settings.TELEPHONY_SECRET:
            raise CommandError("TELEPHONY_SECRET is not set: the portal and this service share it.")
        try:
            from webphone.telephony.call_back import Portal, Service, interface  # noqa: PLC0415
        except ImportError as lacking:
            raise CommandError(f"{lacking}. Install requirements-phone.txt where this service runs.") from lacking
        host, _colon, port = options["proxy"].rpartition(":")
        portal = Portal(f"{options['portal'].rstrip('/')}/telephony/events/", key_for("events"))
        service = Service(
            host=options["host"],
            sip_port=options["sip_port"],
            proxy=(host, int(port)),
            domain=settings.TELEPHONY_DOMAIN,
            password=key_for("service"),
            portal=portal,
            rings=options["rings"],
        )
        server = interface(service, options["port"], key_for("call-back"))
        Thread(target=server.serve_forever, daemon=True).start()
        service.stack.loop()
