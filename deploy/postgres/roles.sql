-- Three roles with as few rights as they need. Run it as a superuser in Maskwatch's database:
--
--   psql --dbname=maskwatch --file=deploy/postgres/roles.sql
--
-- and again after each `maskwatch db upgrade`: a later table starts with SELECT and INSERT only.
-- It may be run as often as you like. The roles have no password, so nobody signs in as one of them
-- before you say `\password maskwatch_writer` or allow it in pg_hba.conf.
--
--   maskwatch_migrator  owns the tables; for `maskwatch db upgrade` and nothing else
--   maskwatch_writer    for service, jobs, dashboard and the command line
--   maskwatch_reader    for notebooks and charts; sees no hash of a key or of a session

BEGIN;

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['maskwatch_migrator', 'maskwatch_writer', 'maskwatch_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        END IF;
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO maskwatch_migrator, maskwatch_writer, maskwatch_reader',
        current_database()
    );
    EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO maskwatch_migrator', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC, maskwatch_writer, maskwatch_reader;
GRANT USAGE ON SCHEMA public TO maskwatch_writer, maskwatch_reader;
GRANT USAGE, CREATE ON SCHEMA public TO maskwatch_migrator;

-- What exists already gets its owner. Sequences of columns follow their table.
DO $$
DECLARE
    found regclass;
BEGIN
    FOR found IN
        SELECT oid::regclass FROM pg_class
        WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('maskwatch_days'))
          AND relkind IN ('r', 'p', 'v', 'm')
          AND pg_get_userbyid(relowner) <> 'maskwatch_migrator'
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO maskwatch_migrator', found);
    END LOOP;
END $$;

-- Functions too. Two of them make and drop days of records, with the rights of their owner.
DO $$
DECLARE
    found regprocedure;
BEGIN
    IF to_regnamespace('maskwatch_days') IS NOT NULL THEN
        ALTER SCHEMA maskwatch_days OWNER TO maskwatch_migrator;
    END IF;
    FOR found IN
        SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
          AND proname LIKE 'maskwatch\_%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO maskwatch_migrator', found);
        IF found::text LIKE '%\_day(date)' THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO maskwatch_writer', found);
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, maskwatch_writer, maskwatch_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO maskwatch_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO maskwatch_reader;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO maskwatch_writer;

-- Exceptions, for the tables among these that exist.
DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT * FROM (VALUES
            -- What happened is added to and never changed.
            ('audit', 'UPDATE, DELETE', 'maskwatch_writer'),
            ('loaded_models', 'UPDATE, DELETE', 'maskwatch_writer'),
            -- What ended is marked as such and stays.
            ('decisions', 'DELETE', 'maskwatch_writer'),
            ('proposals', 'DELETE', 'maskwatch_writer'),
            ('scenarios', 'DELETE', 'maskwatch_writer'),
            ('api_keys', 'DELETE', 'maskwatch_writer'),
            -- The schema's version is the migrator's.
            ('alembic_version', 'INSERT, UPDATE, DELETE', 'maskwatch_writer'),
            ('api_keys', 'SELECT', 'maskwatch_reader'),
            ('login_tokens', 'SELECT', 'maskwatch_reader')
        ) AS rules (name, rights, grantee)
        WHERE to_regclass('public.' || name) IS NOT NULL
    LOOP
        EXECUTE format('REVOKE %s ON public.%I FROM %I', rule.rights, rule.name, rule.grantee);
    END LOOP;
    IF to_regclass('public.api_keys') IS NOT NULL THEN
        GRANT SELECT (id, name, created_at, created_by, revoked_at, revoked_by)
            ON public.api_keys TO maskwatch_reader;
    END IF;
END $$;

-- Tables made later.
ALTER DEFAULT PRIVILEGES FOR ROLE maskwatch_migrator IN SCHEMA public
    GRANT SELECT, INSERT ON TABLES TO maskwatch_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE maskwatch_migrator IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO maskwatch_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE maskwatch_migrator IN SCHEMA public
    GRANT SELECT ON TABLES TO maskwatch_reader;

COMMIT;
