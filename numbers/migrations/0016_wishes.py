"""Orders of numbers that nobody offers: the customer says in words which, and the VAR types in what it has got."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0015_delivered_numbers")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="wish",
            field=models.CharField(blank=True, db_default="", max_length=300, verbose_name="asked for"),
        ),
        migrations.AddField(
            model_name="order",
            name="note",
            field=models.CharField(blank=True, db_default="", max_length=300, verbose_name="note"),
        ),
        migrations.AddField(
            model_name="order",
            name="key",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="order",
            name="state",
            field=models.CharField(
                choices=[
                    ("basket", "Not confirmed"),
                    ("waiting", "Waiting for approval"),
                    ("asked", "To be delivered"),
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
        migrations.AlterField(
            model_name="order",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(models.F("customer"), models.F("key"), name="numbers_order_of_form"),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "asked"), _negated=True), models.Q(("wish", ""), _negated=True), _connector="OR"
                ),
                name="numbers_order_asked",
            ),
        ),
    ]
