"""Where carriers lead calls; orders of VARs for their own stock; orders that are given up or continued."""

import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# An order of a VAR's own has no customer, and a foreign key of which a column is empty is not checked: the pair with
# the VAR is checked besides. Who ordered inside another account did so in the account that the order is of.
PAIRS = """
ALTER TABLE numbers_orderline ADD CONSTRAINT numbers_orderline_of_order_of_var
    FOREIGN KEY (order_id, var_id) REFERENCES numbers_order (id, var_id) ON DELETE CASCADE;
ALTER TABLE numbers_carrierorder ADD CONSTRAINT numbers_carrierorder_of_order_of_var
    FOREIGN KEY (order_id, var_id) REFERENCES numbers_order (id, var_id) ON DELETE CASCADE;
ALTER TABLE numbers_order ADD COLUMN buyer_id bigint GENERATED ALWAYS AS (coalesce(customer_id, var_id)) STORED;
ALTER TABLE numbers_order ADD CONSTRAINT numbers_order_of_access_of_buyer
    FOREIGN KEY (access_id, buyer_id) REFERENCES accounts_access (id, account_id);
"""
NO_PAIRS = """
ALTER TABLE numbers_order DROP CONSTRAINT numbers_order_of_access_of_buyer;
ALTER TABLE numbers_order DROP COLUMN buyer_id;
ALTER TABLE numbers_carrierorder DROP CONSTRAINT numbers_carrierorder_of_order_of_var;
ALTER TABLE numbers_orderline DROP CONSTRAINT numbers_orderline_of_order_of_var;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_known_devices"),
        ("numbers", "0024_calls_by_day"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Routing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number_id", models.BigIntegerField(unique=True)),
                ("e164", models.CharField(db_collation="C", max_length=16, verbose_name="number")),
                ("key", models.UUIDField(editable=False, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("wanted", "Being checked"),
                            ("routed", "Calls arrive"),
                            ("failed", "Calls do not arrive"),
                        ],
                        default="wanted",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("attempts", models.IntegerField(default=0)),
                ("next_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("checked_at", models.DateTimeField(null=True, verbose_name="checked")),
            ],
            options={
                "verbose_name": "routing",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="carrierorder",
            name="numbers_carrierorder_one_of_each",
        ),
        migrations.RemoveIndex(
            model_name="orderline",
            name="numbers_orderline_delivered",
        ),
        migrations.AddField(
            model_name="carrierorder",
            name="given_up",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="orderline",
            name="detail",
            field=models.CharField(blank=True, db_default="", max_length=500),
        ),
        migrations.AlterField(
            model_name="carrierorder",
            name="customer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.account",
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="customer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.account",
            ),
        ),
        migrations.AlterField(
            model_name="orderline",
            name="customer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.account",
            ),
        ),
        migrations.AlterField(
            model_name="orderline",
            name="state",
            field=models.CharField(
                choices=[
                    ("chosen", "Chosen"),
                    ("pending", "Pending"),
                    ("unrouted", "Not connected"),
                    ("active", "Delivered"),
                    ("failed", "Failed"),
                ],
                default="chosen",
                max_length=8,
                verbose_name="outcome",
            ),
        ),
        migrations.AlterField(
            model_name="release",
            name="state",
            field=models.CharField(
                choices=[
                    ("ready", "Carrier to be notified"),
                    ("manual", "Notify the carrier"),
                    ("done", "Released"),
                    ("failed", "Failed"),
                    ("kept", "Kept"),
                ],
                default="ready",
                max_length=8,
                verbose_name="state",
            ),
        ),
        migrations.AddIndex(
            model_name="carrierorder",
            index=models.Index(models.F("order"), name="numbers_carrierorder_of_order"),
        ),
        migrations.AddIndex(
            model_name="orderline",
            index=models.Index(
                models.F("number_id"),
                condition=models.Q(("carrier_order__isnull", False), ("state__in", ["active", "unrouted"])),
                name="numbers_orderline_delivered",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                models.F("var"),
                models.F("person"),
                condition=models.Q(("customer", None), ("state", "basket")),
                name="numbers_order_one_basket_of_var",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(models.F("id"), models.F("var"), name="numbers_order_id_var"),
        ),
        migrations.AddField(
            model_name="routing",
            name="provider",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="numbers.provider"
            ),
        ),
        migrations.AddField(
            model_name="routing",
            name="account",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.account"
            ),
        ),
        migrations.AddIndex(
            model_name="routing",
            index=models.Index(
                models.F("next_at"), condition=models.Q(("state", "wanted")), name="numbers_routing_due"
            ),
        ),
        migrations.AddIndex(
            model_name="routing",
            index=models.Index(models.F("account"), models.F("state"), name="numbers_routing_by_state"),
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
                    ("route", "Calls go elsewhere"),
                    ("gone", "Not in the statement"),
                    ("refused", "Refused"),
                ],
                max_length=8,
                verbose_name="verdict",
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="active",
            field=models.IntegerField(default=0, verbose_name="delivered"),
        ),
        migrations.RunSQL(PAIRS, NO_PAIRS),
    ]
