"""Calls from the portal, and people's own telephones."""

import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

PAIRS = """
ALTER TABLE webphone_call ADD CONSTRAINT webphone_call_of_person
    FOREIGN KEY (person_id, account_id) REFERENCES accounts_person (id, account_id);
ALTER TABLE webphone_location ADD CONSTRAINT webphone_location_of_person
    FOREIGN KEY (person_id, account_id) REFERENCES accounts_person (id, account_id);
ALTER TABLE webphone_location ADD CONSTRAINT webphone_location_of_destination
    FOREIGN KEY (destination_id, account_id) REFERENCES numbers_destination (id, customer_id) ON DELETE CASCADE;
"""
NO_PAIRS = """
ALTER TABLE webphone_location DROP CONSTRAINT webphone_location_of_destination;
ALTER TABLE webphone_location DROP CONSTRAINT webphone_location_of_person;
ALTER TABLE webphone_call DROP CONSTRAINT webphone_call_of_person;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_person_of_account"),
        ("numbers", "0012_carrier_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ref", models.CharField(editable=False, max_length=60)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("computer", "This computer"),
                            ("call_back", "Call-back"),
                            ("code", "Call with a code"),
                            ("incoming", "Incoming"),
                        ],
                        max_length=9,
                        verbose_name="with",
                    ),
                ),
                ("number", models.CharField(blank=True, db_collation="C", max_length=16, verbose_name="number")),
                ("digits", models.BigIntegerField(default=0)),
                ("own_number", models.CharField(blank=True, max_length=16, verbose_name="your telephone")),
                ("caller_id", models.CharField(blank=True, max_length=16, verbose_name="caller id")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("placed", "Calling"),
                            ("ringing_you", "Ringing your telephone"),
                            ("answered_you", "You answered"),
                            ("ringing", "Ringing"),
                            ("talking", "Talking"),
                            ("ended", "Ended"),
                        ],
                        default="placed",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("answered", "Answered"),
                            ("busy", "Busy"),
                            ("no_answer", "No answer"),
                            ("cancelled", "Cancelled"),
                            ("not_you", "Your telephone did not answer"),
                            ("your_busy", "Your telephone was busy"),
                            ("unreachable", "Not reachable"),
                            ("failed", "Failed"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=11,
                        verbose_name="outcome",
                    ),
                ),
                ("placed_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="time")),
                ("heard_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("answered_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("seconds", models.IntegerField(default=0, verbose_name="seconds")),
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
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "call",
                "indexes": [
                    models.Index(
                        models.F("person"), models.F("placed_at"), models.F("id"), name="webphone_call_of_person"
                    ),
                    models.Index(models.F("account"), models.F("placed_at"), name="webphone_call_of_account"),
                    models.Index(
                        models.F("heard_at"),
                        condition=models.Q(("state", "ended"), _negated=True),
                        name="webphone_call_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(models.F("ref"), models.F("person"), name="webphone_call_ref"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", False), ("outcome__gt", ""), ("state", "ended")),
                            models.Q(models.Q(("state", "ended"), _negated=True), ("ended_at", None), ("outcome", "")),
                            _connector="OR",
                        ),
                        name="webphone_call_ended",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Location",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("extension", "Extension"),
                            ("mobile", "Mobile"),
                            ("home", "Home"),
                            ("other", "Other number"),
                        ],
                        max_length=9,
                        verbose_name="kind",
                    ),
                ),
                ("number", models.CharField(db_collation="C", max_length=16, verbose_name="number")),
                ("verified_at", models.DateTimeField(null=True, verbose_name="verified")),
                ("code", models.CharField(blank=True, max_length=4)),
                ("code_until", models.DateTimeField(null=True)),
                ("code_call", models.CharField(blank=True, max_length=60)),
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
                    "destination",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="numbers.destination",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "telephone",
                "indexes": [
                    models.Index(
                        models.F("destination"),
                        condition=models.Q(("destination", None), _negated=True),
                        name="webphone_location_of_ext",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(models.F("person"), models.F("number"), name="webphone_location_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("destination__isnull", False),
                                ("kind", "extension"),
                                ("number__regex", "^[0-9]{1,10}$"),
                            ),
                            models.Q(
                                models.Q(("kind", "extension"), _negated=True),
                                ("destination", None),
                                ("number__regex", "^\\+[1-9][0-9]{3,14}$"),
                            ),
                            _connector="OR",
                        ),
                        name="webphone_location_form",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.RunSQL(PAIRS, NO_PAIRS),
    ]
