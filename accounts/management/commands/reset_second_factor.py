"""``manage.py reset_second_factor``: for people who lost all second factors and recovery codes."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from accounts.actions import remove_factors
from accounts.models import Person
from accounts.tasks import send_message


class Command(BaseCommand):
    help = (
        "Remove the second factors of the person who signs in with ADDRESS, end their sessions, and inform them by"
        " mail. They then sign in with their password and set up a new factor with a link by mail. Check the identity"
        " of the person who asks first."
    )

    def add_arguments(self, parser):
        parser.add_argument("email", metavar="ADDRESS")

    def handle(self, *args, email, **options):
        person = Person.objects.owner_of(email)
        if person is None:
            raise CommandError(f"Nobody signs in with {email}.")
        if not remove_factors(person):
            raise CommandError(f"{person.name} has no second factor.")
        send_message.defer(
            subject=_("Your second factors were removed"),
            body=_(
                "The operator of Phone Numbers removed the second factors of your sign-in. Sign in with your password,"
                " then request a link by e-mail and use it to set up a new second factor.\n\nIf you did not ask for"
                " this, tell your administrator at once."
            ),
            to=[person.email],
        )
        self.stdout.write(f"{person.name} ({person.account.code}) now has no second factor and is signed out.")
