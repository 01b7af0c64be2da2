-- What the service shows and remembers of archives, and what lets it be asked again safely.
ALTER TABLE oa.archives
  ADD COLUMN origin text NOT NULL DEFAULT 'created' CHECK (origin IN ('created', 'scheduled', 'uploaded')),
  ADD COLUMN workspaces uuid[],  -- NULL: all of the tenant
  ADD COLUMN verification text NOT NULL DEFAULT 'never' CHECK (verification IN ('never', 'verified', 'refused')),
  ADD COLUMN verified_at timestamptz,
  ADD COLUMN refusal text,  -- a code
  ADD COLUMN expires_at timestamptz,
  ADD CONSTRAINT archives_verified CHECK ((verification = 'never') = (verified_at IS NULL)),
  ADD CONSTRAINT archives_refused CHECK ((verification = 'refused') = (refusal IS NOT NULL));
CREATE INDEX archives_created ON oa.archives (tenant_id, created_at, id);
CREATE INDEX archives_expires ON oa.archives (tenant_id, expires_at) WHERE expires_at IS NOT NULL;

-- A plan that was only looked at is not history.
ALTER TABLE oa.restores
  ADD COLUMN purpose text NOT NULL DEFAULT 'restore' CHECK (purpose IN ('restore', 'compare'));
GRANT DELETE ON oa.restores TO oa_service;
CREATE POLICY history_stays ON oa.restores AS RESTRICTIVE FOR DELETE TO oa_service USING (state = 'planned');

-- When archives are made by themselves.
CREATE TABLE oa.backup_schedules (
  tenant_id uuid PRIMARY KEY DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  frequency text NOT NULL CHECK (frequency IN ('off', 'daily', 'weekly')),
  with_rows boolean NOT NULL,
  with_audit boolean NOT NULL,
  keep_days bigint NOT NULL CHECK (keep_days BETWEEN 1 AND 3650),
  next_run_at timestamptz,
  last_run_at timestamptz,
  CHECK ((frequency = 'off') = (next_run_at IS NULL))
);

-- Answers to requests that carried an Idempotency-Key. `request` is a digest of what was asked.
CREATE TABLE oa.idempotent_answers (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  user_id uuid NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
  request bytea NOT NULL CHECK (length(request) = 32),
  status bigint NOT NULL,
  headers json NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id, key)
);
CREATE INDEX idempotent_answers_created ON oa.idempotent_answers (tenant_id, created_at);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['backup_schedules', 'idempotent_answers'] LOOP
    EXECUTE format('ALTER TABLE oa.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE oa.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY own_tenant ON oa.%I TO oa_service'
                   ' USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant())', name);
  END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE ON oa.backup_schedules TO oa_service;
GRANT SELECT, INSERT, DELETE ON oa.idempotent_answers TO oa_service;
