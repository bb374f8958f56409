"""Imports: files of numbers, line by line."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# A row cannot point across tenants; the lines of a file go with it.
PAIRS = """
ALTER TABLE numbers_import ADD CONSTRAINT numbers_import_of_access
    FOREIGN KEY (access_id, account_id) REFERENCES accounts_access (id, account_id);
ALTER TABLE numbers_importrow ADD CONSTRAINT numbers_importrow_of_import
    FOREIGN KEY (of_id, account_id) REFERENCES numbers_import (id, account_id) ON DELETE CASCADE;
"""
NO_PAIRS = """
ALTER TABLE numbers_importrow DROP CONSTRAINT numbers_importrow_of_import;
ALTER TABLE numbers_import DROP CONSTRAINT numbers_import_of_access;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_events_concern_others"),
        ("numbers", "0007_bulk_jobs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Not confirmed"),
                    ("checking", "Being checked"),
                    ("running", "Running"),
                    ("done", "Done"),
                    ("cancelled", "Cancelled"),
                    ("stopped", "Stopped"),
                ],
                default="draft",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("request_id", models.CharField(blank=True, max_length=32)),
                ("all_or_nothing", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Not confirmed"),
                            ("checking", "Being checked"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                            ("stopped", "Stopped"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("problem", models.CharField(blank=True, max_length=500)),
                ("total", models.IntegerField(default=0, verbose_name="numbers")),
                ("done", models.IntegerField(default=0, verbose_name="done")),
                ("refused", models.IntegerField(default=0, verbose_name="refused")),
                ("as_of", models.DateTimeField(default=django.utils.timezone.now, verbose_name="as of")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("file_name", models.CharField(blank=True, max_length=200, verbose_name="file")),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(blank=True, max_length=20), size=None
                    ),
                ),
                (
                    "ignored",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list, size=None
                    ),
                ),
                ("encoding", models.CharField(blank=True, max_length=20)),
                ("region", models.CharField(blank=True, max_length=2)),
                ("overwrites", models.BooleanField(default=False)),
                ("key", models.UUIDField(editable=False)),
                (
                    "access",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.access",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.account"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="numbers.provider"
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.IntegerField(verbose_name="line")),
                ("cells", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("e164", models.CharField(blank=True, db_collation="C", max_length=16, verbose_name="number")),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not checked"),
                            ("add", "Add"),
                            ("change", "Change"),
                            ("same", "No change"),
                            ("refused", "Refused"),
                        ],
                        max_length=8,
                        verbose_name="verdict",
                    ),
                ),
                ("column", models.CharField(blank=True, max_length=40, verbose_name="column")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("plan", models.JSONField(default=list)),
                ("applied", models.BooleanField(default=False)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "of",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="rows",
                        to="numbers.import",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of an import",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name="import",
            index=models.Index(models.F("account"), models.F("id"), name="numbers_import_of_account"),
        ),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.UniqueConstraint(models.F("id"), models.F("account"), name="numbers_import_id_account"),
        ),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.UniqueConstraint(models.F("account"), models.F("key"), name="numbers_import_once"),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(models.F("of"), models.F("verdict"), models.F("line"), name="numbers_importrow_verdict"),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(
                models.F("of"), models.F("line"), condition=models.Q(("applied", False)), name="numbers_importrow_left"
            ),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.UniqueConstraint(models.F("of"), models.F("line"), name="numbers_importrow_line"),
        ),
        migrations.RunSQL(PAIRS, NO_PAIRS),
    ]
