"""Large work notes how far it has come by the numbers of its lines, and when another worker takes it up."""

from django.db import migrations, models
from django.db.models import F, Q

UNDER_WAY = Q(state__in=["checking", "running"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_known_devices"), ("numbers", "0021_calls_in_signed_scopes")]

    operations = [
        *(
            migrations.AddField("import", name, models.IntegerField(db_default=0, default=0))
            for name in ("last_line", "checked_to")
        ),
        migrations.AddField("job", "reached", models.BigIntegerField(db_default=0, default=0)),
        *(
            operation
            for model in ("import", "job")
            for operation in (
                migrations.AddField(model, "due_at", models.DateTimeField(null=True)),
                migrations.AddField(model, "tries", models.SmallIntegerField(db_default=0, default=0)),
                migrations.AddIndex(model, models.Index(F("due_at"), condition=UNDER_WAY, name=f"numbers_{model}_due")),
            )
        ),
    ]
