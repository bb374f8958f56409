"""A number with a first call has a last one: to compare nothing with a time is neither true nor false, and passed."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import F, Q

NAME = "numbers_number_calls_of_tenure"


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on the table for long

    dependencies = [("numbers", "0004_number_text_in_var_index")]

    operations = [
        migrations.RemoveConstraint("phonenumber", NAME),
        AddConstraintNotValid(
            "phonenumber",
            models.CheckConstraint(
                name=NAME,
                condition=Q(first_call_at=None, last_call_at=None)
                | Q(
                    first_call_at__isnull=False,
                    last_call_at__isnull=False,
                    last_call_at__gte=F("first_call_at"),
                    customer__isnull=False,
                ),
            ),
        ),
        ValidateConstraint("phonenumber", NAME),
    ]
