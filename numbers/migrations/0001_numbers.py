"""Providers, destinations, phone numbers, and the pairs of columns that keep tenants apart."""

import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.db.models.manager
from django.db import migrations, models

import accounts.models

# A row cannot point across tenants: each pair below must exist together in the row that it points at. MATCH SIMPLE
# leaves a pair alone whose first column is empty.
PAIRS = [
    (
        "numbers_destination",
        "customer_id, var_id",
        "accounts_account (id, parent_id)",
        "numbers_destination_of_customer",
    ),
    ("numbers_phonenumber", "customer_id, var_id", "accounts_account (id, parent_id)", "numbers_number_of_customer"),
    (
        "numbers_phonenumber",
        "reserved_for_id, var_id",
        "accounts_account (id, parent_id)",
        "numbers_number_reserved_in_var",
    ),
    ("numbers_phonenumber", "last_holder_id, var_id", "accounts_account (id, parent_id)", "numbers_number_held_in_var"),
    (
        "numbers_phonenumber",
        "destination_id, customer_id",
        "numbers_destination (id, customer_id)",
        "numbers_number_rings_own",
    ),
]
# Search inside text wants trigrams. They come with PostgreSQL's contrib package; without it search works, only slower.
TRIGRAMS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX accounts_account_trigrams ON accounts_account USING gin (name_folded gin_trgm_ops);
        CREATE INDEX numbers_destination_trigrams ON numbers_destination USING gin (name_folded gin_trgm_ops);
        CREATE INDEX numbers_number_trigrams ON numbers_phonenumber USING gin (e164 gin_trgm_ops);
    END IF;
END $$
"""
NO_TRIGRAMS = """
DROP INDEX IF EXISTS accounts_account_trigrams, numbers_destination_trigrams, numbers_number_trigrams
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_accounts_and_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="Destination",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("group", "Group"), ("service", "Service"), ("user", "User")],
                        db_collation="C",
                        max_length=8,
                        verbose_name="use",
                    ),
                ),
                (
                    "service_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("conference", "Conference"),
                            ("duty_agent", "Duty agent"),
                            ("fax", "Fax"),
                            ("other", "Other"),
                            ("virtual_assistant", "Virtual assistant"),
                            ("virtual_receptionist", "Virtual receptionist"),
                        ],
                        db_collation="C",
                        max_length=20,
                        verbose_name="service type",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("name_folded", accounts.models.FoldedField()),
                ("extension", models.CharField(blank=True, max_length=10, verbose_name="extension")),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="customer",
                    ),
                ),
                (
                    "var",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.account"
                    ),
                ),
            ],
            options={
                "verbose_name": "destination",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Provider",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True, verbose_name="name")),
                ("name_folded", accounts.models.FoldedField()),
                ("supports_voice", models.BooleanField(default=True, verbose_name="voice")),
                ("supports_sms", models.BooleanField(default=False, verbose_name="SMS")),
                ("supports_fax", models.BooleanField(default=False, verbose_name="fax")),
            ],
            options={
                "verbose_name": "provider",
                "indexes": [models.Index(models.F("name_folded"), models.F("id"), name="numbers_provider_by_name")],
            },
        ),
        migrations.CreateModel(
            name="PhoneNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("e164", models.CharField(db_collation="C", max_length=16, verbose_name="number")),
                (
                    "digits",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Cast(
                            django.db.models.functions.text.Substr("e164", 2), models.BigIntegerField()
                        ),
                        output_field=models.BigIntegerField(),
                    ),
                ),
                ("assigned_at", models.DateTimeField(null=True, verbose_name="assigned")),
                ("reserved_until", models.DateTimeField(null=True, verbose_name="reserved until")),
                ("cooling_until", models.DateTimeField(null=True, verbose_name="cooling until")),
                ("first_call_at", models.DateTimeField(null=True, verbose_name="first call")),
                ("last_call_at", models.DateTimeField(null=True, verbose_name="last call")),
                ("label", models.CharField(blank=True, max_length=80, verbose_name="label")),
                ("caller_name", models.CharField(blank=True, max_length=15, verbose_name="caller name")),
                ("voice", models.BooleanField(default=True, verbose_name="voice")),
                ("sms", models.BooleanField(default=False, verbose_name="SMS")),
                ("fax", models.BooleanField(default=False, verbose_name="fax")),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="company",
                    ),
                ),
                (
                    "destination",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="numbers.destination",
                        verbose_name="used by",
                    ),
                ),
                (
                    "last_holder",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="last holder",
                    ),
                ),
                (
                    "reserved_for",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="reserved for",
                    ),
                ),
                (
                    "var",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                        verbose_name="VAR",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="numbers.provider",
                        verbose_name="provider",
                    ),
                ),
            ],
            options={
                "verbose_name": "phone number",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name="destination",
            index=models.Index(models.F("name_folded"), models.F("id"), name="numbers_destination_by_name"),
        ),
        migrations.AddIndex(
            model_name="destination",
            index=models.Index(
                models.F("var"), models.F("name_folded"), models.F("id"), name="numbers_destination_var_name"
            ),
        ),
        migrations.AddIndex(
            model_name="destination",
            index=models.Index(
                models.F("customer"), models.F("name_folded"), models.F("id"), name="numbers_destination_cust_name"
            ),
        ),
        migrations.AddIndex(
            model_name="destination",
            index=models.Index(
                models.F("kind"),
                models.F("service_type"),
                models.F("name_folded"),
                models.F("id"),
                name="numbers_destination_by_use",
            ),
        ),
        migrations.AddIndex(
            model_name="destination",
            index=models.Index(
                models.F("var"),
                models.F("kind"),
                models.F("service_type"),
                models.F("name_folded"),
                models.F("id"),
                name="numbers_destination_var_use",
            ),
        ),
        migrations.AddIndex(
            model_name="destination",
            index=models.Index(
                models.F("customer"),
                models.F("kind"),
                models.F("service_type"),
                models.F("name_folded"),
                models.F("id"),
                name="numbers_destination_cust_use",
            ),
        ),
        migrations.AddConstraint(
            model_name="destination",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "service"), ("service_type__gt", "")),
                    models.Q(models.Q(("kind", "service"), _negated=True), ("service_type", "")),
                    _connector="OR",
                ),
                name="numbers_destination_service_has_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="destination",
            constraint=models.UniqueConstraint(
                models.F("id"), models.F("customer"), name="numbers_destination_id_customer"
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(models.F("var"), models.F("digits"), name="numbers_number_var"),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("customer"),
                models.F("digits"),
                condition=models.Q(("customer__isnull", False)),
                name="numbers_number_customer",
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("destination"),
                models.F("digits"),
                condition=models.Q(("destination__isnull", False)),
                name="numbers_number_destination",
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(models.F("provider"), models.F("digits"), name="numbers_number_provider"),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("var"), models.F("provider"), models.F("digits"), name="numbers_number_var_provider"
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(models.F("digits"), condition=models.Q(("customer", None)), name="numbers_number_free"),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("var"),
                models.F("digits"),
                condition=models.Q(("customer", None)),
                name="numbers_number_var_free",
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("digits"), condition=models.Q(("destination", None)), name="numbers_number_idle"
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("var"),
                models.F("digits"),
                condition=models.Q(("destination", None)),
                name="numbers_number_var_idle",
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("customer"),
                models.F("digits"),
                condition=models.Q(("customer__isnull", False), ("destination", None)),
                name="numbers_number_cust_idle",
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("digits"), condition=models.Q(("first_call_at", None)), name="numbers_number_pending"
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("var"),
                models.F("digits"),
                condition=models.Q(("first_call_at", None)),
                name="numbers_number_var_pending",
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("reserved_for"),
                models.F("digits"),
                condition=models.Q(("reserved_for__isnull", False)),
                name="numbers_number_reserved_for",
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("var"),
                models.F("digits"),
                condition=models.Q(("reserved_for__isnull", False)),
                name="numbers_number_var_reserved",
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("digits"), condition=models.Q(("reserved_for__isnull", False)), name="numbers_number_reserved"
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("digits"), condition=models.Q(("cooling_until__isnull", False)), name="numbers_number_cooling"
            ),
        ),
        migrations.AddIndex(
            model_name="phonenumber",
            index=models.Index(
                models.F("var"),
                models.F("digits"),
                condition=models.Q(("cooling_until__isnull", False)),
                name="numbers_number_var_cooling",
            ),
        ),
        migrations.AddConstraint(
            model_name="phonenumber",
            constraint=models.CheckConstraint(
                condition=models.Q(("e164__regex", "^\\+[1-9][0-9]{3,14}$")), name="numbers_number_e164"
            ),
        ),
        migrations.AddConstraint(
            model_name="phonenumber",
            constraint=models.UniqueConstraint(models.F("digits"), name="numbers_number_digits"),
        ),
        migrations.AddConstraint(
            model_name="phonenumber",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("assigned_at", None), ("customer", None)),
                    models.Q(("assigned_at__isnull", False), ("customer__isnull", False)),
                    _connector="OR",
                ),
                name="numbers_number_customer_since",
            ),
        ),
        migrations.AddConstraint(
            model_name="phonenumber",
            constraint=models.CheckConstraint(
                condition=models.Q(("destination", None), ("customer__isnull", False), _connector="OR"),
                name="numbers_number_destination_has_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="phonenumber",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reserved_for", None), ("reserved_until", None)),
                    models.Q(("customer", None), ("reserved_for__isnull", False), ("reserved_until__isnull", False)),
                    _connector="OR",
                ),
                name="numbers_number_reserved_until",
            ),
        ),
        migrations.AddConstraint(
            model_name="phonenumber",
            constraint=models.CheckConstraint(
                condition=models.Q(("cooling_until", None), ("customer", None), _connector="OR"),
                name="numbers_number_cooling_is_free",
            ),
        ),
        migrations.AddConstraint(
            model_name="phonenumber",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("first_call_at", None), ("last_call_at", None)),
                    models.Q(
                        ("customer__isnull", False),
                        ("first_call_at__isnull", False),
                        ("last_call_at__gte", models.F("first_call_at")),
                    ),
                    _connector="OR",
                ),
                name="numbers_number_calls_of_tenure",
            ),
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}",
                f"ALTER TABLE {table} DROP CONSTRAINT {name}",
            )
            for table, columns, target, name in PAIRS
        ),
        migrations.RunSQL(TRIGRAMS, NO_TRIGRAMS),
    ]
