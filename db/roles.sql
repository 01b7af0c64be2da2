-- The three roles the program logs in as. Idempotent; run as a superuser, before the first migration. A cluster that
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
