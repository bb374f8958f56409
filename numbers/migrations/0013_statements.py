"""Statements of carriers are imports."""

import django.contrib.postgres.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_person_of_account"),
        ("numbers", "0012_carrier_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="applies",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=8), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="is_statement",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="importrow",
            name="verdict",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Not checked"),
                    ("add", "Add"),
                    ("change", "Change"),
                    ("same", "No change"),
                    ("gone", "Not in the statement"),
                    ("refused", "Refused"),
                ],
                max_length=8,
                verbose_name="verdict",
            ),
        ),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_statement", False), ("provider__isnull", False), _connector="OR"),
                name="numbers_import_statement_of",
            ),
        ),
    ]
