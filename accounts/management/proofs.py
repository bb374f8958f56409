"""What the operator's commands share that remove a proof of identity of somebody who asked for that."""

from collections.abc import Callable

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Person
from accounts.tasks import send_message


class RemovesProof(BaseCommand):
    """A command for the person who signs in with ADDRESS.

    ``remove`` returns whether there was anything to remove. The command prints the address and ``done``, or ``missing``
    if there was nothing. The person gets a mail with ``subject`` and ``body``.
    """

    remove: Callable[[Person], bool]
    missing = done = subject = body = ""

    def add_arguments(self, parser):
        parser.add_argument("email", metavar="ADDRESS")

    def handle(self, *args, email, **options):
        person = Person.objects.owner_of(email)
        if person is None:
            raise CommandError(f"Nobody signs in with {email}.")
        if not self.remove(person):
            raise CommandError(f"{person.name} {self.missing}.")
        send_message.defer(subject=str(self.subject), body=str(self.body), to=[person.email])
        self.stdout.write(f"{person.name} ({person.account.code}) {self.done}.")
