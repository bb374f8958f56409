"""``manage.py createsuperuser``: Django's name and habits for ``create_operator``."""

import getpass
import os
import sys

from django.core.management.base import CommandError

from accounts.management.commands import create_operator


class Command(create_operator.Command):
    help = (
        "The same as create_operator, in Django's way: asks for what is missing; with --noinput everything comes from"
        " the options and DJANGO_SUPERUSER_NAME, DJANGO_SUPERUSER_EMAIL and DJANGO_SUPERUSER_PASSWORD."
    )

    def add_arguments(self, parser):
        parser.add_argument("--name", help="the operator's name, such as “Northern Telephone”")
        parser.add_argument("--email", help="the address that the administrator signs in with")
        parser.add_argument("--noinput", "--no-input", dest="interactive", action="store_false", help="ask nothing")

    def handle(self, *args, **options):
        name = options["name"] or os.environ.get("DJANGO_SUPERUSER_NAME", "")
        email = options["email"] or os.environ.get("DJANGO_SUPERUSER_EMAIL", "")
        password = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
        if options["interactive"]:
            if not sys.stdin.isatty():
                raise CommandError("There is no terminal to ask in: run create_operator, or give --noinput.")
            name = name or input("Name of the operator (your company): ")
            email = email or input("E-mail address of the administrator: ")
            password = password or typed_password()
        if not email:
            raise CommandError("Give --email, or DJANGO_SUPERUSER_EMAIL.")
        self.create(name, "", email, password or None)


def typed_password() -> str | None:
    """A password typed twice; None for a link instead. Raises ``CommandError`` when the two differ."""
    password = getpass.getpass("Password (empty: print a link instead): ")
    if password and getpass.getpass("Password (again): ") != password:
        raise CommandError("The two passwords differ.")
    return password or None
