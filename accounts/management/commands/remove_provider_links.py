"""``manage.py remove_provider_links``: for people who have another account at their identity provider now."""

from django.utils.translation import gettext_lazy as _

from accounts.actions import remove_provider_links
from accounts.management.proofs import RemovesProof


class Command(RemovesProof):
    help = (
        "Remove the links of the person who signs in with ADDRESS to identity providers, end their sessions, and inform"
        " them by mail. Their next sign-in with a provider links them again. Check the identity of the person who asks"
        " first."
    )
    remove = staticmethod(remove_provider_links)
    missing, done = "is linked to no identity provider", "is linked to nothing now and is signed out"
    subject = _("The link to your organization was removed")
    body = _(
        "The operator of Phone Numbers removed the link of your sign-in to your organization. Your next sign-in"
        " with your organization makes a new one.\n\nIf you did not ask for this, tell your administrator at"
        " once."
    )
