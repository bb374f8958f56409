"""Numbers that VARs have given up, and whose carriers are to let them go."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

PAIR = """
ALTER TABLE numbers_release ADD CONSTRAINT numbers_release_of_access
    FOREIGN KEY (access_id, account_id) REFERENCES accounts_access (id, account_id);
"""
NO_PAIR = "ALTER TABLE numbers_release DROP CONSTRAINT numbers_release_of_access"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_person_of_account"),
        ("numbers", "0013_statements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("request_id", models.CharField(blank=True, max_length=32)),
                ("number_id", models.BigIntegerField()),
                ("e164", models.CharField(db_collation="C", max_length=16, verbose_name="number")),
                ("digits", models.BigIntegerField()),
                ("reference", models.CharField(blank=True, max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ready", "Carrier to be notified"),
                            ("done", "Released"),
                            ("failed", "Failed"),
                            ("kept", "Kept"),
                        ],
                        default="ready",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                ("next_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("begun_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="released")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="numbers.provider",
                    ),
                ),
            ],
            options={"verbose_name": "release"},
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(
                models.F("account"), models.F("begun_at"), models.F("id"), name="numbers_release_of_account"
            ),
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(models.F("account"), models.F("state"), name="numbers_release_by_state"),
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(models.F("next_at"), condition=models.Q(("state", "ready")), name="numbers_release_due"),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.UniqueConstraint(models.F("number_id"), name="numbers_release_once"),
        ),
        migrations.RunSQL(PAIR, NO_PAIR),
    ]
