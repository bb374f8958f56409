"""``manage.py test_telephones``: a telephone and a carrier that do not exist, for calls on this computer."""

import os

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Be a telephone and a carrier on this computer: see webphone/telephony/phones.py for what they do."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--proxy", type=int, required=True, help="the port of the SIP server")
        parser.add_argument("--carrier", type=int, required=True, help="the port of the carrier")
        parser.add_argument("--telephone", required=True, help="name:port; its password is in PHONE_PASSWORD")

    def handle(self, *args, **options):
        # What it works with is not installed where nobody telephones.
        from webphone.telephony.phones import MELODY, Phone  # noqa: PLC0415

        here, proxy = "127.0.0.1", ("127.0.0.1", options["proxy"])
        carrier = Phone(here, options["carrier"], proxy, settings.TELEPHONY_DOMAIN)
        name, port = options["telephone"].split(":")
        telephone = Phone(here, int(port), proxy, settings.TELEPHONY_DOMAIN, plays=MELODY)
        telephone.register(name, os.environ["PHONE_PASSWORD"])
        carrier.stack.loop()
