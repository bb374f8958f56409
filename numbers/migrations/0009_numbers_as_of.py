"""How numbers stood at any time: what they are and what they were, as one table to read."""

from django.db import migrations, models

# Each half reads one table alone: so the planner takes the view apart and reads either by its own indexes, in order.
# It asks the policies of the tables about whoever reads it, not about its owner.
VIEW = """
CREATE VIEW numbers_as_of WITH (security_invoker = true) AS
SELECT id AS number_id, e164, digits, provider_id, var_id, customer_id, destination_id,
       NULL::varchar(120) AS destination_name, NULL::varchar(8) COLLATE "C" AS destination_kind,
       NULL::varchar(20) COLLATE "C" AS service_type, reserved_for_id, reserved_until, cooling_until, first_call_at,
       since, NULL::timestamptz AS until
FROM numbers_phonenumber
UNION ALL
SELECT number_id, e164, digits, provider_id, var_id, customer_id, destination_id, destination_name, destination_kind,
       service_type, reserved_for_id, reserved_until, cooling_until, first_call_at, since, until
FROM numbers_pastnumber
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0008_imports")]

    operations = [
        migrations.RunSQL(VIEW, "DROP VIEW numbers_as_of"),
        # What else it has is told by the view: nothing is made of these.
        migrations.CreateModel(
            name="NumberAsOf",
            fields=[("number_id", models.BigIntegerField(primary_key=True, serialize=False))],
            options={"db_table": "numbers_as_of", "managed": False, "verbose_name": "number as of a time"},
        ),
    ]
