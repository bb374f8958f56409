"""Orders of numbers."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

PAIRS = """
ALTER TABLE numbers_order ADD CONSTRAINT numbers_order_of_customer
    FOREIGN KEY (customer_id, var_id) REFERENCES accounts_account (id, parent_id);
ALTER TABLE numbers_order ADD CONSTRAINT numbers_order_of_access
    FOREIGN KEY (access_id, customer_id) REFERENCES accounts_access (id, account_id);
ALTER TABLE numbers_orderline ADD CONSTRAINT numbers_orderline_of_order
    FOREIGN KEY (order_id, customer_id, var_id) REFERENCES numbers_order (id, customer_id, var_id) ON DELETE CASCADE;
"""
NO_PAIRS = """
ALTER TABLE numbers_orderline DROP CONSTRAINT numbers_orderline_of_order;
ALTER TABLE numbers_order DROP CONSTRAINT numbers_order_of_access;
ALTER TABLE numbers_order DROP CONSTRAINT numbers_order_of_customer;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_orders_wait_for_approval"),
        ("numbers", "0010_call_events"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("request_id", models.CharField(blank=True, max_length=32)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("basket", "Not confirmed"),
                            ("waiting", "Waiting for approval"),
                            ("running", "Being delivered"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="basket",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("held_until", models.DateTimeField(verbose_name="held until")),
                ("informs", models.BooleanField(default=False, verbose_name="inform the customer")),
                ("begun_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="begun")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="ordered")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("total", models.IntegerField(default=0, verbose_name="numbers")),
                ("active", models.IntegerField(default=0, verbose_name="active")),
                ("failed", models.IntegerField(default=0, verbose_name="failed")),
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
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "var",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "order",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="OrderLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("e164", models.CharField(db_collation="C", max_length=16, verbose_name="number")),
                ("digits", models.BigIntegerField()),
                ("number_id", models.BigIntegerField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("chosen", "Chosen"),
                            ("pending", "Pending"),
                            ("active", "Active"),
                            ("failed", "Failed"),
                        ],
                        default="chosen",
                        max_length=8,
                        verbose_name="outcome",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="lines",
                        to="numbers.order",
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
                (
                    "var",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "number of an order",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(models.F("customer"), models.F("id"), name="numbers_order_of_customer"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(models.F("var"), models.F("id"), name="numbers_order_of_var"),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                models.F("customer"),
                models.F("person"),
                condition=models.Q(("state", "basket")),
                name="numbers_order_one_basket",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                models.F("id"), models.F("customer"), models.F("var"), name="numbers_order_id_customer_var"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at", None), ("state", "basket")),
                    models.Q(models.Q(("state", "basket"), _negated=True), ("confirmed_at__isnull", False)),
                    _connector="OR",
                ),
                name="numbers_order_confirmed",
            ),
        ),
        migrations.AddIndex(
            model_name="orderline",
            index=models.Index(
                models.F("order"), models.F("digits"), models.F("id"), name="numbers_orderline_by_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.UniqueConstraint(models.F("order"), models.F("e164"), name="numbers_orderline_once"),
        ),
        migrations.RunSQL(PAIRS, NO_PAIRS),
    ]
