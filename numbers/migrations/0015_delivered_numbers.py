"""Which numbers carriers have delivered is found by the number: only those are given up at their carriers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on the table

    dependencies = [("numbers", "0014_releases")]

    operations = [
        AddIndexConcurrently(
            "orderline",
            models.Index(
                models.F("number_id"),
                condition=models.Q(("carrier_order__isnull", False), ("state", "active")),
                name="numbers_orderline_delivered",
            ),
        ),
    ]
