"""The functions that tell row-level security in whose scope a transaction is, if the portal has signed that."""

from django.db import migrations

# Both halves of a key are those of HMAC (RFC 2104): PostgreSQL has SHA-256 and no HMAC of its own. Policies ask for the
# account within a SELECT of its own, so that it is found out once for a statement. An error and not NULL: a mistake
# must not look like an account without rows. Restricted: a parallel worker need not repeat it.
# A scope that sees every row needs no account. Whether its signature holds is asked when a statement is planned, and so
# said to be immutable: a condition that is left in the plan would keep searches inside text from their index.
SIGNED = """
CREATE SCHEMA wall;
REVOKE ALL ON SCHEMA wall FROM PUBLIC;
CREATE TABLE wall.key (inner_pad bytea PRIMARY KEY, outer_pad bytea NOT NULL);
CREATE FUNCTION wall.account(wanted text) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[] := string_to_array(current_setting('portal.scope', true), '|');
    made timestamptz;
BEGIN
    IF parts[1] IS DISTINCT FROM wanted OR NOT EXISTS (
        SELECT FROM wall.key k WHERE parts[4] = encode(sha256(k.outer_pad || sha256(
            k.inner_pad || convert_to(concat_ws('|', parts[1], parts[2], parts[3]), 'UTF8'))), 'hex')
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'this transaction is in no scope that the portal has signed';
    END IF;
    made := to_timestamp(parts[3]::bigint);
    IF made NOT BETWEEN now() - interval '5 minutes' AND clock_timestamp() + interval '5 minutes' THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'the clocks of the portal and its database differ by more than five minutes';
    END IF;
    RETURN parts[2]::bigint;
END $$;
REVOKE ALL ON FUNCTION wall.account(text) FROM PUBLIC;
CREATE FUNCTION wall.holds(wanted text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN wall.account(wanted) IS NOT NULL;
END $$;
REVOKE ALL ON FUNCTION wall.holds(text) FROM PUBLIC;
CREATE FUNCTION wall.above(wanted text) RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER AS $$
BEGIN
    RETURN (
        SELECT array_remove(ARRAY[a.parent_id, p.parent_id], NULL)
        FROM accounts_account a LEFT JOIN accounts_account p ON p.id = a.parent_id WHERE a.id = wall.account(wanted)
    );
END $$;
REVOKE ALL ON FUNCTION wall.above(text) FROM PUBLIC;
DO $$ BEGIN
    -- Somebody's temporary table of the same name would otherwise come first.
    EXECUTE format('ALTER FUNCTION wall.above(text) SET search_path = %I, pg_temp', current_schema());
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_person_of_account")]

    operations = [migrations.RunSQL(SIGNED, "DROP SCHEMA wall CASCADE")]
