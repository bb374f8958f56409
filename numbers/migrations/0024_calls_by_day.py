"""Calls are kept in partitions by day: made ahead, and dropped as a whole when their time is over.

The calls so far become one partition that reaches to the end of tomorrow; the days follow it.
"""

import importlib

from django.db import migrations

BEFORE = importlib.import_module("numbers.migrations.0021_calls_in_signed_scopes").RECORD
# A day of UTC by the call's own time. The id stands first in the key: a call is looked for by it alone.
PARTITIONED = """
ALTER TABLE numbers_callevent RENAME TO numbers_callevent_before;
ALTER INDEX numbers_call_of_number RENAME TO numbers_call_of_number_before;
DROP INDEX numbers_call_by_time;
ALTER TABLE numbers_callevent_before DROP CONSTRAINT numbers_callevent_pkey;
ALTER TABLE numbers_callevent_before ADD CONSTRAINT numbers_callevent_before_pkey PRIMARY KEY (id, at);
CREATE TABLE numbers_callevent (LIKE numbers_callevent_before INCLUDING DEFAULTS) PARTITION BY RANGE (at);
ALTER TABLE numbers_callevent ADD CONSTRAINT numbers_callevent_pkey PRIMARY KEY (id, at);
CREATE INDEX numbers_call_of_number ON numbers_callevent (number_id, at) WHERE number_id IS NOT NULL;
DO $$
DECLARE
    upper timestamptz := (date_trunc('day', now() AT TIME ZONE 'UTC') + interval '2 days') AT TIME ZONE 'UTC';
BEGIN
    EXECUTE format(
        'ALTER TABLE numbers_callevent ATTACH PARTITION numbers_callevent_before FOR VALUES FROM (MINVALUE) TO (%L)',
        upper
    );
END $$
"""
TOGETHER = """
ALTER TABLE numbers_callevent RENAME TO numbers_callevent_days;
ALTER INDEX numbers_call_of_number RENAME TO numbers_call_of_number_days;
ALTER TABLE numbers_callevent_days RENAME CONSTRAINT numbers_callevent_pkey TO numbers_callevent_days_pkey;
CREATE TABLE numbers_callevent (LIKE numbers_callevent_days INCLUDING DEFAULTS);
INSERT INTO numbers_callevent SELECT DISTINCT ON (id) * FROM numbers_callevent_days ORDER BY id, at;
DROP TABLE numbers_callevent_days;
ALTER TABLE numbers_callevent ADD CONSTRAINT numbers_callevent_pkey PRIMARY KEY (id);
CREATE INDEX numbers_call_of_number ON numbers_callevent (number_id, at) WHERE number_id IS NOT NULL;
CREATE INDEX numbers_call_by_time ON numbers_callevent USING brin (taken_at)
"""
# The bounds of a partition are read from the catalogue, which writes them in the time zone of the function. A table is
# made and then attached, for which nobody waits. To detach one, calls have to wait: no longer than the function may for
# its lock, and then it is tried again by the next call of it.
DAYS = """
CREATE FUNCTION numbers_call_days(kept integer, OUT ahead integer, OUT overdue integer)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    today timestamptz := date_trunc('day', now(), 'UTC');
    day record;
    upper timestamptz;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('numbers_call_days'));
    SELECT max(p.upper) INTO upper FROM numbers_call_partitions() p;
    WHILE upper < today + interval '4 days' LOOP
        name := 'numbers_callevent_' || to_char(upper, 'YYYYMMDD');
        EXECUTE format('CREATE TABLE %I (LIKE numbers_callevent INCLUDING ALL)', name);
        EXECUTE format('ALTER TABLE %I ADD CHECK (at >= %L AND at < %L)', name, upper, upper + interval '1 day');
        EXECUTE format('ALTER TABLE numbers_callevent ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       name, upper, upper + interval '1 day');
        upper := upper + interval '1 day';
    END LOOP;
    ahead := extract(day FROM upper - today) - 1;
    overdue := 0;
    FOR day IN SELECT p.name, p.upper FROM numbers_call_partitions() p
               WHERE p.upper <= today - make_interval(days => greatest(kept, 7)) ORDER BY p.upper LOOP
        BEGIN
            EXECUTE format('ALTER TABLE numbers_callevent DETACH PARTITION %I', day.name);
            EXECUTE format('DROP TABLE %I', day.name);
        EXCEPTION WHEN lock_not_available THEN
            overdue := overdue + 1;
        END;
    END LOOP;
END $$;
CREATE FUNCTION numbers_call_partitions(OUT name text, OUT lower timestamptz, OUT upper timestamptz)
RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT c.relname::text,
           coalesce((regexp_match(b.bounds, 'FROM \\(''([^'']+)'))[1]::timestamptz, '-infinity'),
           (regexp_match(b.bounds, 'TO \\(''([^'']+)'))[1]::timestamptz
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS b (bounds)
    WHERE i.inhparent = 'numbers_callevent'::regclass
$$;
REVOKE ALL ON FUNCTION numbers_call_days, numbers_call_partitions FROM PUBLIC;
DO $$ DECLARE one text; BEGIN
    FOREACH one IN ARRAY ARRAY['numbers_call_days', 'numbers_call_partitions'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET TimeZone = ''UTC''', one);
    END LOOP;
    ALTER FUNCTION numbers_call_days SET lock_timeout = '200ms';
END $$
"""
# As before (0021), but: a call that was told of with another time, up to two days apart, is known; one of before the
# oldest partition is counted and not kept; batches of a phone system wait for each other only to write its figures.
# Subqueries with OFFSET are run for each row, by key, whatever the planner believes.
RECORD = """
CREATE FUNCTION numbers_record_calls(
    telephone_system bigint, ids text[], numbers bigint[], times timestamptz[],
    OUT recorded bigint, OUT repeated bigint, OUT unknown bigint
) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    scope text := split_part(current_setting('portal.scope', true), '|', 1);
    of_account bigint;
    every_number boolean;
    oldest timestamptz;
    newest timestamptz;
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
    FOR KEY SHARE OF s;
    IF NOT FOUND THEN
        RAISE insufficient_privilege USING MESSAGE = 'this phone system is not here, or was revoked';
    END IF;
    SELECT min(p.lower), max(p.upper) INTO oldest, newest FROM numbers_call_partitions() p;
    IF (SELECT max(e.at) FROM unnest(times) AS e (at)) >= newest THEN  -- no worker has made days for long
        PERFORM numbers_call_days(100000);
    END IF;
    WITH sent AS MATERIALIZED (
        SELECT md5(telephone_system || ':' || e.id)::uuid AS id, min(e.number) AS number, min(e.at) AS at
        FROM unnest(ids, numbers, times) AS e (id, number, at) GROUP BY 1
    ), new AS MATERIALIZED (
        SELECT s.id, s.at, n.id AS number_id, n.var_id,
               CASE WHEN s.at >= n.assigned_at THEN n.customer_id END AS customer_id
        FROM sent s LEFT JOIN LATERAL (
            SELECT p.id, p.var_id, p.customer_id, p.assigned_at FROM numbers_phonenumber p
            WHERE p.digits = s.number AND (every_number OR p.var_id = of_account) OFFSET 0
        ) n ON true
        WHERE NOT EXISTS (
            SELECT FROM numbers_callevent e WHERE e.id = s.id
            AND e.at >= s.at - interval '2 days' AND e.at <= s.at + interval '2 days' OFFSET 0
        )
    ), taken AS (
        INSERT INTO numbers_callevent (id, system_id, at, number_id, var_id, customer_id)
        SELECT id, telephone_system, at, number_id, var_id, customer_id FROM new WHERE at >= oldest
        ON CONFLICT DO NOTHING RETURNING number_id, at
    ), told AS (
        SELECT number_id, at FROM taken UNION ALL SELECT number_id, at FROM new WHERE at < oldest
    )
    SELECT count(*), count(*) FILTER (WHERE number_id IS NULL), array_agg(number_id) FILTER (WHERE number_id > 0),
           array_agg(at) FILTER (WHERE number_id > 0)
    INTO recorded, unknown, known, begun FROM told;
    repeated := cardinality(ids) - recorded;
    recorded := recorded - unknown;
    PERFORM FROM numbers_phonenumber n WHERE n.id = ANY(known) ORDER BY n.id FOR NO KEY UPDATE;
    UPDATE numbers_phonenumber n
    SET first_call_at = least(n.first_call_at, c.first), last_call_at = greatest(n.last_call_at, c.last)
    FROM (
        SELECT e.number, min(e.at) AS first, max(e.at) AS last FROM unnest(known, begun) AS e (number, at)
        WHERE EXISTS (
            SELECT FROM numbers_phonenumber p
            WHERE p.id = e.number AND p.customer_id IS NOT NULL AND p.assigned_at <= e.at OFFSET 0
        )
        GROUP BY e.number
    ) c
    WHERE n.id = c.number
      AND (n.first_call_at IS NULL OR c.first < n.first_call_at OR c.last > n.last_call_at);
    UPDATE numbers_telephonesystem s SET
        heard_at = clock_timestamp(), calls = s.calls + recorded,
        unknown = s.unknown + numbers_record_calls.unknown
    WHERE s.id = telephone_system;
END $$;
REVOKE ALL ON FUNCTION numbers_record_calls FROM PUBLIC;
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION numbers_record_calls SET search_path = %I, pg_temp', current_schema());
END $$;
"""
# A function of SQL is checked against the tables when it is made, and so comes after them.
FORTH = f"{PARTITIONED}; {DAYS}; SELECT numbers_call_days(100000); DROP FUNCTION numbers_record_calls; {RECORD}"
BACK = (
    f"DROP FUNCTION numbers_record_calls; DROP FUNCTION numbers_call_days; DROP FUNCTION numbers_call_partitions;"
    f" {TOGETHER}; {BEFORE}"
)


class Migration(migrations.Migration):
    dependencies = [("numbers", "0023_work_under_way_is_due")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORTH, BACK)],
            state_operations=[migrations.RemoveIndex("callevent", "numbers_call_by_time")],
        )
    ]
