"""``manage.py turn_config``: the configuration of the TURN server, with this portal's key in it."""

from ipaddress import ip_address

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webphone.telephony.servers import turn_configuration


class Command(BaseCommand):
    help = "Write what coturn reads: see docs/telephony.md. A key is in it: keep it from others."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--host", required=True, help="the address at which browsers reach it")
        parser.add_argument(
            "--media", required=True, type=ip_address, help="the media relay's address: sound is passed on to it alone"
        )
        parser.add_argument("--port", type=int, default=3478)
        parser.add_argument("--certificate", default="", help="files with certificate and key, by a comma: TLS on 5349")

    def handle(self, *args, **options):
        if not settings.TELEPHONY_SECRET:
            raise CommandError("TELEPHONY_SECRET is not set: the portal and the TURN server share it.")
        certificate, comma, key = options["certificate"].partition(",")
        if certificate and not (comma and key):
            raise CommandError("--certificate is two files, as in /etc/ssl/portal.pem,/etc/ssl/portal.key.")
        self.stdout.write(
            turn_configuration(
                host=options["host"],
                port=options["port"],
                media_host=str(options["media"]),
                domain=settings.TELEPHONY_DOMAIN,
                certificate=(certificate, key) if certificate else None,
            )
        )
