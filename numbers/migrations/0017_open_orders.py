"""Orders that are not over are found without looking at all others: lists say how many there are."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

UNDER_WAY = models.Q(("state__in", ["asked", "running", "waiting"]))


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on the table

    dependencies = [("numbers", "0016_wishes")]

    operations = [
        AddIndexConcurrently(
            "order",
            models.Index(models.F(whose), models.F("id"), condition=UNDER_WAY, name=f"numbers_order_open_of_{whose}"),
        )
        for whose in ("var", "customer")
    ]
