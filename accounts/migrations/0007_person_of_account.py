"""What two-column foreign keys point at that hold something to a person and to that person's account."""

from django.db import migrations, models

NAME = "accounts_person_id_account"


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on the table for long

    dependencies = [("accounts", "0006_orders_wait_for_approval")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {NAME} ON accounts_person (id, account_id)",
                    f"DROP INDEX CONCURRENTLY {NAME}",
                )
            ],
            state_operations=[migrations.AddConstraint("person", models.UniqueConstraint("id", "account", name=NAME))],
        ),
    ]
