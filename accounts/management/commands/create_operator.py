"""``manage.py create_operator``: the first system administrator of a new installation, or another for a lost one."""

import os
import sys

from allauth.core import context
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts import actions
from accounts.models import Person
from accounts.tasks import RequestAt, password_link
from portal.database.owner import as_owner
from portal.fields import AddressField, NameField

MINUTES = settings.PASSWORD_RESET_TIMEOUT // 60
#: The longest password that is read; what is longer is no password.
MOST_TYPED = 4096


class Command(BaseCommand):
    help = (
        "Make a system administrator and, in a new installation, the system account. Prints a link that works once,"
        f" for {MINUTES} minutes, to choose a password. Wants MIGRATION_DATABASE_URL, as migrate does."
    )

    def add_arguments(self, parser):
        parser.add_argument("--name", default="", help="the operator's name, such as “Northern Telephone”")
        parser.add_argument("--email", required=True, help="the address that the administrator signs in with")
        parser.add_argument("--person", default="", metavar="NAME", help="the administrator's name")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        parser.add_argument(
            "--again",
            action="store_true",
            help="although there is an active system administrator, because nobody can sign in as one; the history of"
            " the system account tells it",
        )

    def handle(self, *args, **options):
        password = None
        if options["password_stdin"]:
            password = sys.stdin.readline(MOST_TYPED).rstrip("\r\n")
        self.create(options["name"], options["person"], options["email"], password, again=options["again"])

    def create(self, operator: str, person_name: str, email: str, password: str | None, *, again: bool = False) -> None:
        """Do what the command is for, with what was typed. Raises ``CommandError``."""
        operator = clean(NameField(max_length=120, required=False), "--name", operator)
        person_name = clean(NameField(max_length=120, required=False), "--person", person_name)
        email = clean(AddressField(max_length=254), "--email", email)
        if password is not None:
            clean_password(password, Person(name=person_name, email=email))
        with as_owner():
            try:
                person = actions.create_operator(
                    operator=operator, person_name=person_name, email=email, password=password, again=again
                )
            except actions.NotNeeded as needless:
                raise CommandError(not_needed(needless.args[0])) from None
            except ValidationError as refusal:
                raise CommandError(" ".join(refusal.messages)) from None
            self.tell(person, has_password=password is not None)

    def tell(self, person: Person, *, has_password: bool) -> None:
        """Say what was made, and what to do next."""
        base_url = settings.PORTAL_URL or f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
        self.stdout.write(f"{person.email} is a system administrator of {person.account.name}.")
        if has_password:
            self.stdout.write(f"Sign in at {base_url}/login/ with that address and the password.")
        else:
            with context.request_context(RequestAt(base_url)):
                link = password_link(person)
            self.stdout.write(f"Within {MINUTES} minutes, open this link once and choose a password:\n{link}")
        if person.has_second_factor:
            self.stdout.write(f"The second factor stays. If it is lost: manage.py reset_second_factor {person.email}")
        elif settings.STAFF_SECOND_FACTOR:
            self.stdout.write("The portal then asks for a second factor: have an authenticator app or a passkey ready.")


def clean(field, option: str, typed: str) -> str:
    """What was typed for an option, as a form of the portal takes it. Raises ``CommandError``."""
    try:
        return field.clean(typed)
    except ValidationError as refusal:
        raise CommandError(f"{option} {typed!r}: {' '.join(refusal.messages)}") from None


def clean_password(password: str, person: Person) -> None:
    """Raise ``CommandError`` for a password that the portal's own forms would refuse."""
    try:
        validate_password(password, person)
    except ValidationError as refusal:
        raise CommandError(f"This password is not taken: {' '.join(refusal.messages)}") from None


def not_needed(person: Person) -> str:
    """Why there is no need of another system administrator, and what to do instead."""
    return (
        f"There is an active system administrator: {person.email}. They invite others on the page People of the"
        " system account. A forgotten password is reset on the sign-in page, a lost second factor with"
        f" manage.py reset_second_factor {person.email}. If nobody can sign in as an administrator any more, run this"
        " again with --again; the history will tell it."
    )
