"""Indexes of held numbers that have in them what lists ask: counting what is reserved or cooling reads no row."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

OLD = [
    "numbers_number_reserved",
    "numbers_number_var_reserved",
    "numbers_number_cooling",
    "numbers_number_var_cooling",
]


def held(name: str, *columns: str, until: str, holder: str) -> models.Index:
    return models.Index(
        *columns,
        name=name,
        condition=models.Q((f"{holder}__isnull", False)),
        include=[until, "e164", "provider"],
    )


NEW = [
    held("numbers_reserved", "digits", until="reserved_until", holder="reserved_for"),
    held("numbers_reserved_in_var", "var", "digits", until="reserved_until", holder="reserved_for"),
    held("numbers_cooling", "digits", until="cooling_until", holder="cooling_until"),
    held("numbers_cooling_in_var", "var", "digits", until="cooling_until", holder="cooling_until"),
]


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on the table

    dependencies = [("accounts", "0001_accounts_and_people"), ("numbers", "0001_numbers")]

    operations = [
        *(AddIndexConcurrently("phonenumber", index) for index in NEW),
        *(RemoveIndexConcurrently("phonenumber", name) for name in OLD),
    ]
