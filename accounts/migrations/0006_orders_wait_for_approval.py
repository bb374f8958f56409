"""Whether what an account orders waits for approval."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_events_concern_others"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="orders_need_approval",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Orders of this account are delivered after you approve them.",
                verbose_name="orders wait for approval",
            ),
        ),
    ]
