"""A VAR's index has the text of the number in it: a piece of a number is found there without reading rows."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on the table

    dependencies = [("numbers", "0003_destination_extensions")]

    operations = [
        AddIndexConcurrently(
            "phonenumber", models.Index(models.F("var"), models.F("digits"), name="numbers_in_var", include=["e164"])
        ),
        RemoveIndexConcurrently("phonenumber", "numbers_number_var"),
    ]
