"""Who has chosen a password shows without the password."""

from django.db import migrations, models

import accounts.models.people


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_signed_scope")]

    operations = [
        migrations.AlterField(
            "person", "password", accounts.models.people.PasswordField(max_length=128, verbose_name="password")
        ),
        migrations.AddField(
            "person",
            "has_joined",
            models.GeneratedField(
                db_persist=True,
                expression=models.Q(("password__startswith", "!"), _negated=True),
                output_field=models.BooleanField(),
            ),
        ),
    ]
