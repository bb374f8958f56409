"""Events that tell of another account as well: it may read them too."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# An event is shown to an account right above or below the one that it was done in, and to no other: no column says
# which of the two it is, so that no foreign key can hold it.
RELATED = """
CREATE FUNCTION accounts_event_concerns_family() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM accounts_account WHERE id = NEW.concerns_id AND parent_id = NEW.account_id)
       AND NOT EXISTS (SELECT FROM accounts_account WHERE id = NEW.account_id AND parent_id = NEW.concerns_id) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an event concerns an account right above or below its own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_auditevent_concerns BEFORE INSERT ON accounts_auditevent FOR EACH ROW
WHEN (NEW.concerns_id IS NOT NULL) EXECUTE FUNCTION accounts_event_concerns_family();
"""
UNRELATED = "DROP FUNCTION accounts_event_concerns_family() CASCADE"


class Migration(migrations.Migration):
    atomic = False  # the index is made while the portal is in use

    dependencies = [("accounts", "0004_codes_of_new_accounts")]

    operations = [
        migrations.AddField(
            "auditevent",
            "concerns",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.account",
                verbose_name="concerns",
            ),
        ),
        AddIndexConcurrently(
            "auditevent",
            models.Index(
                models.F("concerns"),
                models.F("at").desc(),
                models.F("id").desc(),
                name="accounts_auditevent_concerns",
                condition=models.Q(concerns__isnull=False),
            ),
        ),
        migrations.RunSQL(RELATED, UNRELATED),
    ]
