"""Stock levels: the minimum stock of a country or area."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_notices"),
        ("numbers", "0027_fold_apostrophes"),
    ]

    operations = [
        migrations.CreateModel(
            name="StockLevel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("prefix", models.CharField(db_collation="C", max_length=12, verbose_name="numbers that begin with")),
                ("least", models.IntegerField(verbose_name="minimum")),
                ("notified_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "stock level",
                "constraints": [
                    models.UniqueConstraint(models.F("account"), models.F("prefix"), name="numbers_stocklevel_once"),
                    models.CheckConstraint(
                        condition=models.Q(("least__gte", 1), ("prefix__regex", "^\\+[1-9][0-9]{0,10}$")),
                        name="numbers_stocklevel_sound",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
    ]
