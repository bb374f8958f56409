"""The country whose numbers an account writes without a country code."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_known_devices"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="home_country",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The country of numbers that are written without a country code.",
                max_length=2,
                verbose_name="home country",
            ),
        ),
    ]
