"""``manage.py sip_phone``: the desk phones that may register at the SIP server."""

import secrets
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webphone.telephony import Unreachable, sip_data
from webphone.telephony.servers import Places
from webphone.telephony.sip import SipTelephony


class Command(BaseCommand):
    help = "Add a desk phone, remove one or list them, on the SIP server's computer. No restart is needed."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("action", choices=["add", "remove", "list"])
        parser.add_argument("name", nargs="?", default="", help="account and extension, as in C20001-301")
        parser.add_argument("--data", default=Places.data, help="the SIP server's file")
        parser.add_argument("--password-stdin", action="store_true", help="read the password; otherwise one is made")

    def handle(self, *args, **options):
        path, name = Path(options["data"]), options["name"]
        if not path.exists():
            raise CommandError(f"{path} does not exist. manage.py telephony_config --output makes it.")
        if options["action"] == "list":
            self.stdout.write("\n".join(sip_data.phones(path)))
        elif options["action"] == "add":
            password = sys.stdin.readline().strip() if options["password_stdin"] else secrets.token_urlsafe(18)
            if len(password) < 12:
                raise CommandError("The password has fewer than 12 characters. Choose a longer one.")
            try:
                sip_data.set_phone(path, name, settings.TELEPHONY_DOMAIN, password)
            except ValueError as refusal:
                raise CommandError(str(refusal)) from refusal
            said = "is set" if options["password_stdin"] else f"is {password}"
            self.stdout.write(f"The password of {name} {said}.")
        elif not sip_data.remove_phone(path, name):
            raise CommandError(f"There is no phone {name}.")
        else:
            self.forget(name)

    def forget(self, name: str) -> None:
        """End the registration of a phone that was removed."""
        try:
            SipTelephony().command("ul.rm", ["location", f"{name}@{settings.TELEPHONY_DOMAIN}"])
        except Unreachable:
            self.stderr.write("The SIP server does not answer: the phone stays registered for two minutes.")
