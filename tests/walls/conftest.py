"""Two tenants with a row in every table, and the portal's own sign-in."""

import os
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from accounts.models import Access, AuditEvent
from accounts.walls.roles import portal_role
from numbers.models import (
    CallEvent,
    CarrierOrder,
    Import,
    ImportRow,
    Job,
    JobItem,
    Order,
    OrderLine,
    PastNumber,
    PhoneNumber,
    Release,
    Routing,
    StockLevel,
)
from portal.database.owner import signed_in
from portal.embedded import ADMIN
from tests.database import SERVER
from tests.factories import make_destination, make_number, make_person, make_provider
from tests.walls.commands import address
from webphone.models import Call, Location


@pytest.fixture
def rows(alpha, bravo, acme, zenith):
    """In each tenant: an assigned number, a free one, the past of both, a destination, an access and an event of
    customer and VAR."""
    made = {}
    for var, customer in ((alpha, acme), (bravo, zenith)):
        rings = make_destination(customer)
        made[customer.pk] = {"numbers_destination": [rings], "numbers_phonenumber": [make_number(destination=rings)]}
        made[var.pk] = {
            "numbers_destination": [rings],
            "numbers_phonenumber": [*made[customer.pk]["numbers_phonenumber"], make_number(var=var)],
        }
        person = make_person(var, role="administrator")
        until = timezone.now() + timedelta(hours=1)
        for account in (var, customer):
            access = Access.unscoped.create(person=person, account=account, sign_in="s", chain=[], manages=True)
            facts = {"account": account, "person": person, "access": access, "target_type": "access"}
            event = AuditEvent.unscoped.create(chain=[], verb="access.asked", target="it", **facts)
            made[account.pk]["accounts_auditevent"] = [event]
            job = Job.unscoped.create(account=account, person=person, chain=[], verb="delete", access=access)
            made[account.pk]["numbers_job"] = [job]
            wanted = Import.unscoped.create(
                account=account, person=person, chain=[], columns=["number"], key=uuid4(), access=access
            )
            made[account.pk]["numbers_import"] = [wanted]
            line = ImportRow.unscoped.create(account=account, of=wanted, line=account.pk, cells=["x"])
            made[account.pk]["numbers_importrow"] = [line]
            number = made[account.pk]["numbers_phonenumber"][0]
            item = {"number_id": number.pk, "e164": number.e164, "digits": number.digits, "since": number.since}
            own = {"account": account, "person": make_person(account)}
            made[account.pk]["webphone_call"] = [Call.unscoped.create(ref=f"{account.code}-1", mode="computer", **own)]
            made[account.pk]["webphone_location"] = [
                Location.unscoped.create(kind="extension", number="1", destination=rings, **own)
                if account == customer
                else Location.unscoped.create(kind="mobile", number="+15145550100", **own)
            ]
            made[account.pk]["numbers_jobitem"] = [JobItem.unscoped.create(account=account, job=job, **item)]
            gone = {"number_id": account.pk, "e164": number.e164, "digits": number.digits, "provider": number.provider}
            release = Release.unscoped.create(account=account, person=person, chain=[], access=access, **gone)
            made[account.pk]["numbers_release"] = [release]
            made[account.pk]["numbers_stocklevel"] = [
                StockLevel.unscoped.create(account=account, prefix="+1514", least=1)
            ]
            made[account.pk]["numbers_routing"] = [
                Routing.unscoped.create(account=account, **{n: gone[n] for n in ("number_id", "e164", "provider")})
            ]
        tenants = {"var": var, "customer": customer}
        order = Order.unscoped.create(person=person, chain=[], access=access, held_until=until, **tenants)
        facts = {"e164": number.e164, "digits": number.digits, "provider": number.provider, "number_id": number.pk}
        one = CarrierOrder.unscoped.create(
            order=order, provider=make_provider(f"Carrier {var.pk}"), key=uuid4(), **tenants
        )
        line = OrderLine.unscoped.create(order=order, carrier_order=one, **facts, **tenants)
        for account in (var, customer):
            made[account.pk] |= {"numbers_order": [order], "numbers_orderline": [line], "numbers_carrierorder": [one]}
    PhoneNumber.unscoped.update(provider=make_provider("Another"))
    for of_account in made.values():
        of_account["numbers_pastnumber"] = list(
            PastNumber.unscoped.filter(number_id__in=[number.pk for number in of_account["numbers_phonenumber"]])
        )
    for account in (alpha, bravo, acme, zenith):
        made[account.pk]["numbers_callevent"] = []
    for var, customer in ((alpha, acme), (bravo, zenith)):
        for number in made[var.pk]["numbers_phonenumber"]:
            of_number = {"number_id": number.pk, "var_id": number.var_id, "customer_id": number.customer_id}
            call = CallEvent.unscoped.create(id=uuid4(), system_id=1, at=number.since, **of_number)
            for account in (var, customer) if number.customer_id else (var,):
                made[account.pk]["numbers_callevent"].append(call)
    return made


@pytest.fixture
def as_portal():
    """Go on as the portal's role, which the test's connection may do; what fails is rolled back on its own."""

    def take(statement, *parameters):
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(portal_role())))
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else cursor.rowcount

    return take


@pytest.fixture
def portals_connection(transactional_db):
    """What the test does within this is done by a connection that has signed in as the portal, to the last detail."""
    return signed_in({part: settings.PORTAL_SIGN_IN[part] for part in ("USER", "PASSWORD", "HOST", "PORT")})


@pytest.fixture
def database(transactional_db):
    """The name of this process's database of tests: it has all tables, and others can see them."""
    return connection.settings_dict["NAME"]


@pytest.fixture
def administrator(database):
    """The address of somebody who may make any role."""
    return administrator_of(database)


def administrator_of(database):
    secret = SERVER.home / "admin"
    if SERVER.folder.exists() and os.environ["MIGRATION_DATABASE_URL"] == SERVER.owner_url:
        return address(ADMIN, secret.read_text(), database)
    return address(settings.OWNER_SIGN_IN["USER"], settings.OWNER_SIGN_IN["PASSWORD"], database)
