"""Sessions in the database, read together with whose they are by one plain statement: every request begins with it."""

import json
import re
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.contrib.sessions.backends import db
from django.db import connection

from accounts.models import UNREAD, Account, Person
from portal.database.planned import columns, instances, planned_once

#: Whose session this thread read last, for the sign-in that asks for them next (``accounts.sign_in.Backend``).
read_with_session: ContextVar[Person | None] = ContextVar("read_with_session", default=None)
#: The keys that Django makes.
KEY = re.compile("[a-z0-9]{8,40}")
HAS_SECOND_FACTOR = "EXISTS (SELECT FROM mfa_authenticator f WHERE f.user_id = p.id AND f.type <> 'recovery_codes')"


def columns_of_person() -> str:
    """The SELECT list that fetches people ``p`` with their accounts ``a``, for ``person_in``."""
    return f"{columns(p=Person, a=Account)}, {HAS_SECOND_FACTOR}, {UNREAD}"


def person_in(row: tuple) -> Person:
    """The person, with their account, in what ``columns_of_person`` selected."""
    person, account = instances(row, Person, Account)
    person.account, (person.has_second_factor, person.unread) = account, row[-2:]
    person.channels = json.loads(person.channels)  # text, as it comes where Django has no part
    return person


class SessionStore(db.SessionStore):
    """Django's own store. Only reading differs: the person who signed in comes with the session.

    ``last_seen_at`` does too: when the list of the person's sessions was last told of this one; None when the session
    is in no such list.
    """

    last_seen_at: datetime | None = None

    def _validate_session_key(self, key):
        """Nobody is asked for a key that Django does not make: the cookie can say anything, NUL too."""
        return bool(key and KEY.fullmatch(key))

    def load(self):
        with planned_once() as cursor:
            cursor.execute(
                f"SELECT s.session_data, u.last_seen_at, p.id IS NOT NULL, {columns_of_person()}"  # noqa: S608
                " FROM django_session s"
                " LEFT JOIN usersessions_usersession u ON u.session_key = s.session_key"
                " LEFT JOIN accounts_person p ON p.id = u.user_id AND p.is_active"
                " LEFT JOIN accounts_account a ON a.id = p.account_id"
                " WHERE s.session_key = %s AND s.expire_date > now()"
                " AND (u.last_seen_at IS NULL OR u.last_seen_at > now() - make_interval(mins => %s))",
                [self.session_key, settings.SESSION_IDLE_MINUTES],
            )
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            read_with_session.set(None)
            return {}
        data, self.last_seen_at, is_somebodys, *person = row
        read_with_session.set(person_in(person) if is_somebodys else None)
        return self.decode(data)

    def get_expiry_date(self, **kwargs):
        """When it ends: so long after the person signed in or confirmed it, whatever was written into it since."""
        ends = super().get_expiry_date(**kwargs)
        proofs = self.get(AUTHENTICATION_METHODS_SESSION_KEY)
        if not proofs:
            return ends
        proved = datetime.fromtimestamp(proofs[-1]["at"], UTC)
        return min(ends, proved + timedelta(seconds=self.get_session_cookie_age()))

    def cycle_key(self):
        """Take another key, and keep the place in the list of the person's sessions."""
        before = self.session_key
        super().cycle_key()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE usersessions_usersession SET session_key = %s WHERE session_key = %s",
                [self.session_key, before],
            )
