"""Lines of imports are not marked when they are done.

The column stays in the database for servers of the version before, and goes with the next one.
"""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # made while the portal is in use, without a lock on the table

    dependencies = [("numbers", "0019_imports_under_way")]

    operations = [
        RemoveIndexConcurrently("importrow", "numbers_importrow_left"),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.AlterField("importrow", "applied", models.BooleanField(db_default=False, default=False))
            ],
            state_operations=[migrations.RemoveField("importrow", "applied")],
        ),
    ]
