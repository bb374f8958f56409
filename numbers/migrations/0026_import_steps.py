"""Imports in steps: columns, readings and encodings that somebody chooses, and lines with several numbers."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_home_country"),
        ("numbers", "0025_routing_and_own_orders"),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="headings",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=500), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="notes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=500), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="read_as",
            field=models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
        migrations.AddField(
            model_name="import",
            name="unusual",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="import",
            name="without_plus",
            field=models.CharField(blank=True, db_default="", default="", max_length=8),
        ),
        migrations.AddField(
            model_name="importrow",
            name="source",
            field=models.IntegerField(db_default=0, default=0),
        ),
    ]
