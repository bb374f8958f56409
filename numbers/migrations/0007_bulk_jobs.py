"""Jobs: something that is done to many numbers, and what became of each."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# A row cannot point across tenants; the numbers of a job go with it.
PAIRS = """
ALTER TABLE numbers_job ADD CONSTRAINT numbers_job_of_access
    FOREIGN KEY (access_id, account_id) REFERENCES accounts_access (id, account_id);
ALTER TABLE numbers_jobitem ADD CONSTRAINT numbers_jobitem_of_job
    FOREIGN KEY (job_id, account_id) REFERENCES numbers_job (id, account_id) ON DELETE CASCADE;
"""
NO_PAIRS = """
ALTER TABLE numbers_jobitem DROP CONSTRAINT numbers_jobitem_of_job;
ALTER TABLE numbers_job DROP CONSTRAINT numbers_job_of_access;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_events_concern_others"),
        ("numbers", "0006_past_numbers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("request_id", models.CharField(blank=True, max_length=32)),
                ("verb", models.CharField(max_length=40, verbose_name="what")),
                ("params", models.JSONField(default=dict)),
                ("all_or_nothing", models.BooleanField(default=False)),
                ("chosen", models.CharField(blank=True, max_length=500)),
                ("back", models.CharField(blank=True, max_length=2000)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Not confirmed"),
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
            ],
            options={
                "verbose_name": "job",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="JobItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number_id", models.BigIntegerField()),
                ("e164", models.CharField(db_collation="C", max_length=16, verbose_name="number")),
                ("digits", models.BigIntegerField()),
                ("since", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("done", "Done"), ("refused", "Refused")],
                        default="waiting",
                        max_length=8,
                        verbose_name="outcome",
                    ),
                ),
                ("sentence", models.CharField(blank=True, max_length=500, verbose_name="reason")),
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
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="items",
                        to="numbers.job",
                    ),
                ),
            ],
            options={
                "verbose_name": "number of a job",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(models.F("account"), models.F("id"), name="numbers_job_of_account"),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.UniqueConstraint(models.F("id"), models.F("account"), name="numbers_job_id_account"),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("started_at", None), ("state", "draft")),
                    models.Q(models.Q(("state", "draft"), _negated=True), ("started_at__isnull", False)),
                    _connector="OR",
                ),
                name="numbers_job_started",
            ),
        ),
        migrations.AddIndex(
            model_name="jobitem",
            index=models.Index(models.F("job"), models.F("digits"), models.F("id"), name="numbers_jobitem_by_number"),
        ),
        migrations.AddIndex(
            model_name="jobitem",
            index=models.Index(
                models.F("job"),
                models.F("number_id"),
                condition=models.Q(("state", "waiting")),
                name="numbers_jobitem_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="jobitem",
            constraint=models.UniqueConstraint(models.F("job"), models.F("number_id"), name="numbers_jobitem_once"),
        ),
        migrations.RunSQL(PAIRS, NO_PAIRS),
    ]
