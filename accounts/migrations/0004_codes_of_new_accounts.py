"""New accounts: sequences that give out codes, and the form that an account was typed in."""

from django.db import migrations, models

SEQUENCES = {"var": 1001, "company": 20001, "professional": 30001}
# Owned by the column that they fill: whoever may add accounts may count on.
ADD = """
CREATE SEQUENCE accounts_account_{kind}_code START {first} OWNED BY accounts_account.code;
SELECT setval('accounts_account_{kind}_code', greatest({first} - 1, max(substr(code, 2)::bigint)))
FROM accounts_account WHERE kind = '{kind}';
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_events_of_the_access_of_their_account")]

    operations = [
        migrations.AddField("account", "form_key", models.UUIDField(editable=False, null=True)),
        migrations.AddConstraint(
            "account",
            models.UniqueConstraint(
                models.F("parent"),
                models.F("form_key"),
                condition=models.Q(("form_key__isnull", False)),
                name="accounts_account_one_of_a_form",
            ),
        ),
        *(
            migrations.RunSQL(ADD.format(kind=kind, first=first), f"DROP SEQUENCE accounts_account_{kind}_code")
            for kind, first in SEQUENCES.items()
        ),
    ]
