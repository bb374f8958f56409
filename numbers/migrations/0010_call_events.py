"""Incoming calls: who tells of them, and the function that takes them down and turns numbers active."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models

import accounts.models.accounts

# It runs as the owner of the tables: in the system's scope nobody may write numbers, and nobody calls by hand. It does
# nothing for a phone system that is not the scope's, and for a VAR's finds the VAR's numbers alone. Numbers are
# locked, in the order in which everybody locks them, before their tenure is looked at: who takes one from its holder at
# the same time is before or after.
RECORD = """
CREATE FUNCTION numbers_record_calls(
    telephone_system bigint, ids text[], numbers bigint[], times timestamptz[], kept interval,
    OUT recorded bigint, OUT repeated bigint, OUT unknown bigint
) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    of_account bigint;
    every_number boolean;
    known bigint[];
    begun timestamptz[];
BEGIN
    SELECT s.account_id, a.kind = 'system' INTO of_account, every_number
    FROM numbers_telephonesystem s JOIN accounts_account a ON a.id = s.account_id
    WHERE s.id = telephone_system AND s.revoked_at IS NULL
      AND s.account_id::text = current_setting('portal.account')
    FOR NO KEY UPDATE OF s;
    IF NOT FOUND THEN
        RAISE insufficient_privilege USING MESSAGE = 'this phone system is not here, or was revoked';
    END IF;
    WITH sent AS (
        SELECT md5(telephone_system || ':' || e.id)::uuid AS id, min(e.number) AS number, min(e.at) AS at
        FROM unnest(ids, numbers, times) AS e (id, number, at) GROUP BY 1
    ), taken AS (
        INSERT INTO numbers_callevent (id, system_id, at, number_id, var_id, customer_id)
        SELECT s.id, telephone_system, s.at, n.id, n.var_id, CASE WHEN s.at >= n.assigned_at THEN n.customer_id END
        FROM sent s LEFT JOIN numbers_phonenumber n
          ON n.digits = s.number AND (every_number OR n.var_id = of_account)
        ON CONFLICT DO NOTHING RETURNING number_id, at
    )
    SELECT count(*), count(*) FILTER (WHERE number_id IS NULL), array_agg(number_id) FILTER (WHERE number_id > 0),
           array_agg(at) FILTER (WHERE number_id > 0)
    INTO recorded, unknown, known, begun FROM taken;
    repeated := cardinality(ids) - recorded;
    recorded := recorded - unknown;
    PERFORM FROM numbers_phonenumber n WHERE n.id = ANY(known) ORDER BY n.id FOR NO KEY UPDATE;
    UPDATE numbers_phonenumber n
    SET first_call_at = least(n.first_call_at, c.first), last_call_at = greatest(n.last_call_at, c.last)
    FROM (
        SELECT p.id, min(e.at) AS first, max(e.at) AS last FROM unnest(known, begun) AS e (number, at)
        JOIN numbers_phonenumber p ON p.id = e.number AND p.customer_id IS NOT NULL AND p.assigned_at <= e.at
        GROUP BY p.id
    ) c
    WHERE n.id = c.id
      AND (n.first_call_at IS NULL OR c.first < n.first_call_at OR c.last > n.last_call_at);
    UPDATE numbers_telephonesystem s SET
        heard_at = clock_timestamp(), calls = s.calls + recorded,
        unknown = s.unknown + numbers_record_calls.unknown
    WHERE s.id = telephone_system;
    -- A few more than came: so what is too old goes as fast as calls come, and no batch waits for it.
    DELETE FROM numbers_callevent WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM numbers_callevent WHERE taken_at < now() - kept LIMIT 2 * cardinality(ids) + 10
    ));
END $$;
REVOKE ALL ON FUNCTION numbers_record_calls FROM PUBLIC;
DO $$ BEGIN
    -- Somebody's temporary table of the same name would otherwise come first.
    EXECUTE format('ALTER FUNCTION numbers_record_calls SET search_path = %I, pg_temp', current_schema());
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_events_concern_others"),
        ("numbers", "0009_numbers_as_of"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CallEvent",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("system_id", models.BigIntegerField()),
                ("at", models.DateTimeField(verbose_name="time")),
                (
                    "taken_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("number_id", models.BigIntegerField(null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "var",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "call",
                "indexes": [
                    models.Index(
                        models.F("number_id"),
                        models.F("at"),
                        condition=models.Q(("number_id__isnull", False)),
                        name="numbers_call_of_number",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(models.F("taken_at"), name="numbers_call_by_time"),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="TelephoneSystem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("name_folded", accounts.models.accounts.FoldedField()),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                (
                    "added_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="added"
                    ),
                ),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked")),
                ("heard_at", models.DateTimeField(null=True, verbose_name="last heard")),
                ("calls", models.BigIntegerField(default=0, verbose_name="calls")),
                ("unknown", models.BigIntegerField(default=0, verbose_name="calls to other numbers")),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "added_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "phone system",
                "indexes": [
                    models.Index(
                        models.F("account"), models.F("name_folded"), models.F("id"), name="numbers_system_by_name"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("account"),
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("revoked_at", None)),
                        name="numbers_system_one_name",
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.RunSQL(RECORD, "DROP FUNCTION numbers_record_calls"),
    ]
