-- The roles the program logs in as. Idempotent; run as a superuser, before the first migration. A cluster that
-- is not the embedded one gives its own login roles membership in these, or lets them log in directly.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['oa_owner', 'oa_service', 'oa_operator'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', role_name);
    END IF;
    EXECUTE format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION', role_name);
  END LOOP;
END
$$;

-- The receiver of the write-ahead log, and pgBackRest: neither reads a table of ours.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'oa_replication') THEN
    CREATE ROLE oa_replication LOGIN;
  END IF;
  ALTER ROLE oa_replication NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE REPLICATION;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'oa_backup') THEN
    CREATE ROLE oa_backup LOGIN;
  END IF;
  ALTER ROLE oa_backup NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
END
$$;
GRANT pg_read_all_settings TO oa_backup;
-- How far replication and archiving are: the operator's, and nothing of what tenants own.
GRANT pg_read_all_stats TO oa_operator;
GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean), pg_switch_wal(),
  pg_create_restore_point(text) TO oa_backup;
