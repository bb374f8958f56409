"""``manage.py remove_provider_links``: for people who have another account at their identity provider now."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from accounts.actions import remove_provider_links
from accounts.models import Person
from accounts.tasks import send_message


class Command(BaseCommand):
    help = (
        "Remove the links of the person who signs in with ADDRESS to identity providers, end their sessions, and inform"
        " them by mail. Their next sign-in with a provider links them again. Check the identity of the person who asks"
        " first."
    )

    def add_arguments(self, parser):
        parser.add_argument("email", metavar="ADDRESS")

    def handle(self, *args, email, **options):
        person = Person.objects.owner_of(email)
        if person is None:
            raise CommandError(f"Nobody signs in with {email}.")
        if not remove_provider_links(person):
            raise CommandError(f"{person.name} is linked to no identity provider.")
        send_message.defer(
            subject=_("The link to your organization was removed"),
            body=_(
                "The operator of Phone Numbers removed the link of your sign-in to your organization. Your next sign-in"
                " with your organization makes a new one.\n\nIf you did not ask for this, tell your administrator at"
                " once."
            ),
            to=[person.email],
        )
        self.stdout.write(f"{person.name} ({person.account.code}) is linked to nothing now and is signed out.")
