"""How far an import has come stands in the import: no line is written again because it was done."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers", "0017_open_orders")]

    operations = [
        migrations.AddField("import", name, models.IntegerField(db_default=0, default=0))
        for name in ("added_to", "changed_to")
    ]
