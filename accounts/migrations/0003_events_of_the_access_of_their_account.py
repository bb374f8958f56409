"""An event that was brought about with an access belongs to the account of that access: the pair is a foreign key."""

from django.db import migrations, models
from django.db.models import F

NAME = "accounts_access_id_account"
PAIR = "accounts_auditevent_of_access"


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on either table for long

    dependencies = [("accounts", "0002_access_and_history")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {NAME} ON accounts_access (id, account_id)",
                    f"DROP INDEX CONCURRENTLY {NAME}",
                )
            ],
            state_operations=[
                migrations.AddConstraint("access", models.UniqueConstraint(F("id"), F("account"), name=NAME))
            ],
        ),
        migrations.RunSQL(
            f"ALTER TABLE accounts_auditevent ADD CONSTRAINT {PAIR} FOREIGN KEY (access_id, account_id)"
            " REFERENCES accounts_access (id, account_id) NOT VALID",
            f"ALTER TABLE accounts_auditevent DROP CONSTRAINT {PAIR}",
        ),
        migrations.RunSQL(f"ALTER TABLE accounts_auditevent VALIDATE CONSTRAINT {PAIR}", migrations.RunSQL.noop),
    ]
