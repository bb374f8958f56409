"""What a job has changed of each number, so that it can be undone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0028_stock_levels")]

    operations = [
        migrations.AddField("jobitem", "was", models.JSONField(null=True)),
        migrations.AddField("jobitem", "made", models.JSONField(null=True)),
    ]
