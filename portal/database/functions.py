"""PostgreSQL functions that PUBLIC may call in a new database and no page needs.

An injected ``SELECT`` could take another role with ``set_config``, store data outside all tables in large objects,
read signatures of scopes in the statements of other sessions, and send the workers notifications of its own. Only a
superuser can revoke the right, in each database by itself; a dump keeps it revoked.
"""

#: As a condition on ``pg_proc p``.
UNWANTED = """
p.pronamespace = 'pg_catalog'::regnamespace
AND (p.proname IN ('set_config', 'pg_notify', 'loread', 'lowrite', 'pg_stat_get_activity',
                   'pg_stat_get_backend_activity')
     OR p.proname ~ '^lo_')
"""
IS_OPEN = (
    f"SELECT EXISTS (SELECT FROM pg_proc p WHERE {UNWANTED} AND has_function_privilege('public', p.oid, 'EXECUTE'))"  # noqa: S608
)
#: What the triggers of the queue call, in the portal's own role.
OF_THE_QUEUE = "pg_catalog.pg_notify(text, text)"
#: The owner of the tables keeps the right (``pg_dump`` begins with ``set_config``) and may grant it
#: (``accounts.walls.building``); monitoring keeps it too.
CLOSE = f"""
DO $$ DECLARE one regprocedure; BEGIN
    FOR one IN SELECT p.oid FROM pg_proc p WHERE {UNWANTED} LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pg_monitor', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO {{owner}} WITH GRANT OPTION', one);
    END LOOP;
END $$
"""  # noqa: S608
