"""``manage.py reset_second_factor``: for people who lost all second factors and recovery codes."""

from django.utils.translation import gettext_lazy as _

from accounts.actions import remove_factors
from accounts.management.proofs import RemovesProof


class Command(RemovesProof):
    help = (
        "Remove the second factors of the person who signs in with ADDRESS, end their sessions, and inform them by"
        " mail. They then sign in with their password and set up a new factor with a link by mail. Check the identity"
        " of the person who asks first."
    )
    remove = staticmethod(remove_factors)
    missing, done = "has no second factor", "now has no second factor and is signed out"
    subject = _("Your second factors were removed")
    body = _(
        "The operator of Phone Numbers removed the second factors of your sign-in. Sign in with your password,"
        " then request a link by e-mail and use it to set up a new second factor.\n\nIf you did not ask for"
        " this, tell your administrator at once."
    )
