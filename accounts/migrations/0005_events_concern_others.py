"""Events that tell of another account as well: it may read them too."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


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
    ]
