"""Passwords that somebody would guess early (OWASP ASVS 6.2.4, 6.2.11, 6.2.12)."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

from accounts.models import Person
from portal.filters import folded

#: zxcvbn's estimate, 0 to 4; 3 stands for more than a hundred million guesses.
LEAST_SCORE = 3
#: Characters of a password beside words that an attacker knows.
LEAST_OF_ITS_OWN = 6
#: A longer password is judged by its beginning: estimating takes time that grows with the length.
LONGEST_JUDGED = 72
PRODUCT = ("phone", "number", "telephone", "telecom", "portal", "webphone", "password")


def known_words(person: Person | None) -> list[str]:
    """Words of three letters or more that an attacker tries first: of the person, the account and the portal."""
    texts = [*settings.ALLOWED_HOSTS, *PRODUCT]
    if person is not None:
        texts += [person.name, person.email]
        if person.account_id:  # the first person comes before the account
            texts += [person.account.name, person.account.code]
    return sorted({word for text in texts for word in re.findall(r"\w{3,}", folded(text))}, key=len, reverse=True)


class GuessablePasswordValidator:
    """Refuse common passwords, patterns, and passwords that consist of words about the person or the portal.

    zxcvbn knows 30,000 passwords from leaks, 80,000 names and words, keyboard patterns, dates, and the usual ways to
    vary them.
    """

    def validate(self, password: str, user: Person | None = None) -> None:
        """Raise ``ValidationError`` for a password that would be guessed early."""
        known = known_words(user)
        rest = folded(password)
        for word in known:
            rest = rest.replace(word, "")
        own = sum(map(str.isalnum, rest))
        judged = password[:LONGEST_JUDGED]
        if own < LEAST_OF_ITS_OWN or zxcvbn(judged, user_inputs=known)["score"] < LEAST_SCORE:
            raise ValidationError(
                _("This password is easy to guess. Use several words that have nothing to do with you.")
            )

    def get_help_text(self) -> str:
        return _("Use several words that have nothing to do with you, your company or this portal.")
