"""An e-mail address is one person's from when they choose a password; until then every account may invite it."""

from django.db import migrations, models
from django.db.models.functions import Lower

BEFORE = "accounts_person_email"
JOINED, OF_ACCOUNT = "accounts_person_joined_address", "accounts_person_address_of_account"


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on the table for long

    dependencies = [("accounts", "0009_people_have_joined")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {JOINED} ON accounts_person (lower(email))"
                    " WHERE has_joined",
                    f"DROP INDEX CONCURRENTLY {JOINED}",
                ),
                migrations.RunSQL(
                    f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {OF_ACCOUNT}"
                    " ON accounts_person (lower(email), account_id)",
                    f"DROP INDEX CONCURRENTLY {OF_ACCOUNT}",
                ),
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {BEFORE}",
                    f"CREATE UNIQUE INDEX CONCURRENTLY {BEFORE} ON accounts_person (lower(email))",
                ),
            ],
            state_operations=[
                migrations.RemoveConstraint("person", BEFORE),
                migrations.AddConstraint(
                    "person",
                    models.UniqueConstraint(Lower("email"), name=JOINED, condition=models.Q(has_joined=True)),
                ),
                migrations.AddConstraint("person", models.UniqueConstraint(Lower("email"), "account", name=OF_ACCOUNT)),
            ],
        ),
    ]
