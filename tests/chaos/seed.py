"""What is there before: a VAR, a customer, numbers, people who are signed in. Prints it as JSON for ``tests.chaos``.

python -m tests.chaos.seed CARRIER, in the environment of the portal and of the owner of its tables.
"""

import json
import os
import sys
from datetime import timedelta
from importlib import import_module

#: Jobs assign a thousand numbers each, which begin with such digits; calls come in to others.
JOB_SIZE = 1000
JOB_PREFIXES = [f"1438{555 + place // 10}{place % 10}" for place in range(20)]
CALLED = [f"+1418555{place:04}" for place in range(200)]


def seeded(carrier: str) -> dict:
    """Make everything; the codes, cookies and tokens that the load needs."""
    from allauth.usersessions.models import UserSession  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415 - after django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from accounts.actor import Actor  # noqa: PLC0415
    from accounts.scope import scope  # noqa: PLC0415
    from numbers.actions.calls import add_system  # noqa: PLC0415
    from numbers.models import PhoneNumber  # noqa: PLC0415
    from portal.database.owner import as_owner  # noqa: PLC0415
    from tests import factories  # noqa: PLC0415

    def signed_in(person) -> str:
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.save()
        UserSession.objects.create(user=person, session_key=session.session_key, ip="127.0.0.1")
        return session.session_key

    with as_owner():
        system = factories.make_system()
        var = factories.make_account("var", system, name="Alpha Telecom")
        acme = factories.make_account("company", var, name="Acme Corp")
        people = {
            name: factories.make_person(account, role="administrator", email=f"{name}@chaos.example")
            for name, account in (("operator", system), ("reseller", var), ("importer", var), ("buyer", acme))
        }
        northline, _bought = factories.make_provider(), factories.make_provider(carrier)
        PhoneNumber.unscoped.bulk_create(
            (
                PhoneNumber(e164=f"+{prefix}{place:03}", var=var, provider=northline)
                for prefix in JOB_PREFIXES
                for place in range(JOB_SIZE)
            ),
            batch_size=10_000,
        )
        since = timezone.now() - timedelta(days=1)
        PhoneNumber.unscoped.bulk_create(
            PhoneNumber(e164=e164, var=var, customer=acme, provider=northline, assigned_at=since) for e164 in CALLED
        )
        cookies = {name: signed_in(person) for name, person in people.items()}
    boss = Actor.at_home(people["operator"])
    with scope(system):
        token = add_system(boss, name="Switch")[1]
    return {
        "var": var.code,
        "customer": acme.code,
        "provider": northline.pk,
        "cookies": cookies,
        "token": token,
    }


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    sys.stdout.write(json.dumps(seeded(sys.argv[1])))
