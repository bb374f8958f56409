"""Calls are taken down in scopes that the portal has signed, and how long they are kept is nobody's to say."""

import importlib

from django.db import migrations

BEFORE = importlib.import_module("numbers.migrations.0010_call_events").RECORD
# As before (0010) but for the scope, which has to be signed, and the 90 days, which were an argument.
RECORD = """
CREATE FUNCTION numbers_record_calls(
    telephone_system bigint, ids text[], numbers bigint[], times timestamptz[],
    OUT recorded bigint, OUT repeated bigint, OUT unknown bigint
) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    scope text := split_part(current_setting('portal.scope', true), '|', 1);
    of_account bigint;
    every_number boolean;
    known bigint[];
    begun timestamptz[];
BEGIN
    IF coalesce(scope, '') NOT IN ('system', 'var') THEN
        RAISE insufficient_privilege USING MESSAGE = 'calls are taken down for the system and for VARs';
    END IF;
    SELECT s.account_id, a.kind = 'system' INTO of_account, every_number
    FROM numbers_telephonesystem s JOIN accounts_account a ON a.id = s.account_id
    WHERE s.id = telephone_system AND s.revoked_at IS NULL
      AND s.account_id = wall.account(scope)
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
        SELECT ctid FROM numbers_callevent WHERE taken_at < now() - interval '90 days' LIMIT 2 * cardinality(ids) + 10
    ));
END $$;
REVOKE ALL ON FUNCTION numbers_record_calls FROM PUBLIC;
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION numbers_record_calls SET search_path = %I, pg_temp', current_schema());
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_signed_scope"), ("numbers", "0020_lines_have_no_mark")]

    operations = [
        migrations.RunSQL(
            f"DROP FUNCTION numbers_record_calls; {RECORD}", f"DROP FUNCTION numbers_record_calls; {BEFORE}"
        )
    ]
