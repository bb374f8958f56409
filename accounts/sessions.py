"""Sessions in the database, read with one plain statement: every request of everybody begins with it."""

from datetime import datetime

from django.contrib.sessions.backends import db
from django.db import connection


class SessionStore(db.SessionStore):
    """Django's own store. Only reading differs: building the query anew cost more than everything else about it.

    ``last_seen_at`` comes with it: when the list of the person's sessions was last told of this one; None when the
    session is in no such list.
    """

    last_seen_at: datetime | None = None

    def load(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT s.session_data, u.last_seen_at FROM django_session s"
                " LEFT JOIN usersessions_usersession u ON u.session_key = s.session_key"
                " WHERE s.session_key = %s AND s.expire_date > now()",
                [self.session_key],
            )
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        self.last_seen_at = row[1]
        return self.decode(row[0])

    def cycle_key(self):
        """Take another key, and keep the place in the list of the person's sessions."""
        before = self.session_key
        super().cycle_key()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE usersessions_usersession SET session_key = %s WHERE session_key = %s",
                [self.session_key, before],
            )
