"""From when on browsers count that are known as somebody's; the column is empty at first, and takes no time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_addresses_belong_to_who_has_joined")]

    operations = [
        migrations.AddField(
            "person", "devices_since", models.DateTimeField("known devices since", null=True, editable=False)
        )
    ]
