"""Orders with carriers."""

import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.db import migrations, models

PAIRS = """
ALTER TABLE numbers_carrierorder ADD CONSTRAINT numbers_carrierorder_of_order
    FOREIGN KEY (order_id, customer_id, var_id) REFERENCES numbers_order (id, customer_id, var_id) ON DELETE CASCADE;
ALTER TABLE numbers_orderline ADD CONSTRAINT numbers_orderline_of_carrier_order
    FOREIGN KEY (carrier_order_id, order_id) REFERENCES numbers_carrierorder (id, order_id);
"""
NO_PAIRS = """
ALTER TABLE numbers_orderline DROP CONSTRAINT numbers_orderline_of_carrier_order;
ALTER TABLE numbers_carrierorder DROP CONSTRAINT numbers_carrierorder_of_order;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_orders_wait_for_approval"),
        ("numbers", "0011_orders"),
    ]

    operations = [
        migrations.AddField(
            model_name="orderline",
            name="currency",
            field=models.CharField(blank=True, max_length=3),
        ),
        migrations.AddField(
            model_name="orderline",
            name="monthly",
            field=models.DecimalField(decimal_places=4, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name="orderline",
            name="setup",
            field=models.DecimalField(decimal_places=4, max_digits=12, null=True),
        ),
        migrations.CreateModel(
            name="CarrierOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(editable=False, unique=True)),
                ("reference", models.CharField(blank=True, max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ready", "To be sent"),
                            ("sending", "Being sent"),
                            ("unknown", "Outcome unknown"),
                            ("placed", "With the carrier"),
                            ("ended", "Ended"),
                        ],
                        default="ready",
                        max_length=8,
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("next_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("problem", models.CharField(blank=True, max_length=500)),
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
                        related_name="+",
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
                "verbose_name": "order with a carrier",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="orderline",
            name="carrier_order",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="numbers.carrierorder",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.UniqueConstraint(
                models.F("e164"),
                condition=models.Q(("carrier_order__isnull", False), ("state", "pending")),
                name="numbers_orderline_one_buyer",
            ),
        ),
        migrations.AddIndex(
            model_name="carrierorder",
            index=models.Index(
                models.F("next_at"),
                condition=models.Q(("state", "ended"), _negated=True),
                name="numbers_carrierorder_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="carrierorder",
            constraint=models.UniqueConstraint(
                models.F("order"), models.F("provider"), name="numbers_carrierorder_one_of_each"
            ),
        ),
        migrations.AddConstraint(
            model_name="carrierorder",
            constraint=models.UniqueConstraint(models.F("id"), models.F("order"), name="numbers_carrierorder_id_order"),
        ),
        migrations.RunSQL(PAIRS, NO_PAIRS),
    ]
