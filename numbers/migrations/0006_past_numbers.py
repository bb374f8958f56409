"""Since when a number stands as it does, and how it stood before: kept by the database itself, whoever changes it."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.manager
from django.db import migrations, models
from django.db.models import F, Q

OF_ACCOUNT = {"db_index": False, "on_delete": django.db.models.deletion.PROTECT, "related_name": "+"}
# It runs as the owner of the tables: nobody else may write down the past. The clock is read while the row is locked,
# so that one state ends when the next begins, in whatever order transactions began.
KEPT = """
CREATE FUNCTION numbers_keep_past() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    ended timestamptz := greatest(clock_timestamp(), OLD.since + interval '1 microsecond');
BEGIN
    INSERT INTO numbers_pastnumber
        (number_id, e164, digits, provider_id, var_id, customer_id, destination_id, destination_name, destination_kind,
         service_type, reserved_for_id, reserved_until, cooling_until, first_call_at, since, until)
    SELECT OLD.id, OLD.e164, OLD.digits, OLD.provider_id, OLD.var_id, OLD.customer_id, OLD.destination_id,
           coalesce(d.name, ''), coalesce(d.kind, ''), coalesce(d.service_type, ''), OLD.reserved_for_id,
           OLD.reserved_until, OLD.cooling_until, OLD.first_call_at, OLD.since, ended
    FROM (SELECT) one LEFT JOIN numbers_destination d ON d.id = OLD.destination_id;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.since := ended;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION numbers_keep_past() FROM PUBLIC;
DO $$ BEGIN
    -- Somebody's temporary table of the same name would otherwise come first.
    EXECUTE format('ALTER FUNCTION numbers_keep_past() SET search_path = %I, pg_temp', current_schema());
END $$;
CREATE TRIGGER numbers_phonenumber_past BEFORE UPDATE ON numbers_phonenumber FOR EACH ROW
WHEN ((OLD.var_id, OLD.customer_id, OLD.destination_id, OLD.provider_id, OLD.reserved_for_id, OLD.reserved_until,
       OLD.cooling_until) IS DISTINCT FROM
      (NEW.var_id, NEW.customer_id, NEW.destination_id, NEW.provider_id, NEW.reserved_for_id, NEW.reserved_until,
       NEW.cooling_until))
EXECUTE FUNCTION numbers_keep_past();
CREATE TRIGGER numbers_phonenumber_gone BEFORE DELETE ON numbers_phonenumber FOR EACH ROW
EXECUTE FUNCTION numbers_keep_past();
"""
# As in migration 0001: what a row points at is of its VAR.
PAIRS = {"customer_id": "numbers_past_of_customer", "reserved_for_id": "numbers_past_reserved_in_var"}
FORGOTTEN = "DROP FUNCTION numbers_keep_past() CASCADE"


class Migration(migrations.Migration):
    dependencies = [
        ("numbers", "0005_first_call_has_a_last"),
        ("accounts", "0005_events_concern_others"),
    ]

    operations = [
        # A default that is the same for all rows: PostgreSQL notes it once and rewrites nothing.
        migrations.AddField(
            "phonenumber",
            "since",
            models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="since"
            ),
        ),
        migrations.CreateModel(
            name="PastNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number_id", models.BigIntegerField()),
                ("e164", models.CharField(db_collation="C", max_length=16, verbose_name="number")),
                ("digits", models.BigIntegerField()),
                ("provider", models.ForeignKey(to="numbers.provider", **OF_ACCOUNT)),
                ("var", models.ForeignKey(to="accounts.account", **OF_ACCOUNT)),
                ("customer", models.ForeignKey(db_constraint=False, null=True, to="accounts.account", **OF_ACCOUNT)),
                ("destination_id", models.BigIntegerField(null=True)),
                ("destination_name", models.CharField(blank=True, max_length=120)),
                ("destination_kind", models.CharField(blank=True, db_collation="C", max_length=8)),
                ("service_type", models.CharField(blank=True, db_collation="C", max_length=20)),
                (
                    "reserved_for",
                    models.ForeignKey(db_constraint=False, null=True, to="accounts.account", **OF_ACCOUNT),
                ),
                ("reserved_until", models.DateTimeField(null=True)),
                ("cooling_until", models.DateTimeField(null=True)),
                ("first_call_at", models.DateTimeField(null=True)),
                ("since", models.DateTimeField(verbose_name="since")),
                ("until", models.DateTimeField(verbose_name="until")),
            ],
            options={
                "verbose_name": "past of a number",
                "indexes": [
                    models.Index(F("digits"), F("since"), name="numbers_past_by_number"),
                    models.Index(F("var"), F("digits"), F("since"), name="numbers_past_in_var"),
                    models.Index(
                        F("customer"),
                        F("digits"),
                        F("since"),
                        name="numbers_past_cust",
                        condition=Q(customer__isnull=False),
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(F("number_id"), F("since"), name="numbers_past_one_at_a_time"),
                    models.CheckConstraint(condition=Q(until__gt=F("since")), name="numbers_past_in_order"),
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE numbers_pastnumber ADD CONSTRAINT {name} FOREIGN KEY ({column}, var_id)"
                " REFERENCES accounts_account (id, parent_id)",
                f"ALTER TABLE numbers_pastnumber DROP CONSTRAINT {name}",
            )
            for column, name in PAIRS.items()
        ),
        migrations.RunSQL(KEPT, FORGOTTEN),
    ]
