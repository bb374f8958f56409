"""An extension has digits only, and one destination of an account has it."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

ONE = "numbers_destination_one_extension"
DIGITS = models.CheckConstraint(
    name="numbers_destination_extension_digits", condition=models.Q(extension__regex="^[0-9]*$")
)


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on the table for long

    dependencies = [("numbers", "0002_hold_indexes")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                # One that was not finished would stand there without being kept.
                migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {ONE}", migrations.RunSQL.noop),
                migrations.RunSQL(
                    f"CREATE UNIQUE INDEX CONCURRENTLY {ONE} ON numbers_destination (customer_id, extension)"
                    " WHERE extension > ''",
                    f"DROP INDEX CONCURRENTLY IF EXISTS {ONE}",
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    "destination",
                    models.UniqueConstraint(
                        fields=["customer", "extension"], condition=models.Q(extension__gt=""), name=ONE
                    ),
                )
            ],
        ),
        AddConstraintNotValid("destination", DIGITS),
        ValidateConstraint("destination", DIGITS.name),
    ]
