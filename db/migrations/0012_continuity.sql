-- Continuous backup. What is of the cluster as a whole is the operator's; of a tenant there is what its window follows from.

-- Backups, expiry, verification and restores of the whole cluster: what ran, what runs, what is asked for.
CREATE TABLE oa.cell_runs (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('full', 'differential', 'incremental', 'expire', 'verify', 'restore-check', 'recovery')),
  state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted')),
  requested_by text NOT NULL CHECK (requested_by IN ('schedule', 'operator')),
  cancel_requested boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  step text NOT NULL DEFAULT '',
  done bigint NOT NULL DEFAULT 0,
  total bigint NOT NULL DEFAULT 0,
  unit text NOT NULL DEFAULT '',
  error_code text,
  error_message text,
  detail json,  -- of the kind: sizes, labels, rates
  CHECK ((state = 'queued') = (started_at IS NULL) OR state = 'cancelled'),
  CHECK ((state IN ('queued', 'running')) = (finished_at IS NULL)),
  CHECK ((state = 'failed') = (error_code IS NOT NULL))
);
CREATE INDEX cell_runs_created ON oa.cell_runs (created_at, id);
CREATE INDEX cell_runs_kind ON oa.cell_runs (kind, state, finished_at);

-- How far the receiver of the write-ahead log was behind, at worst, in a minute.
CREATE TABLE oa.cell_lag (
  minute timestamptz PRIMARY KEY,
  worst_us bigint NOT NULL CHECK (worst_us >= 0),
  worst_bytes bigint NOT NULL CHECK (worst_bytes >= 0)
);
ALTER TABLE oa.cell_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.cell_runs FORCE ROW LEVEL SECURITY;
ALTER TABLE oa.cell_lag ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.cell_lag FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON oa.cell_runs TO oa_operator USING (true) WITH CHECK (true);
CREATE POLICY of_operator ON oa.cell_lag TO oa_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON oa.cell_runs, oa.cell_lag TO oa_operator;

-- A tenant that had a longer window until lately may regret having left it.
CREATE TABLE oa.plan_changes (
  tenant_id uuid NOT NULL REFERENCES oa.tenants (id),
  changed_at timestamptz NOT NULL,
  left_plan text NOT NULL,
  PRIMARY KEY (tenant_id, changed_at)
);
CREATE FUNCTION oa.remember_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO oa.plan_changes (tenant_id, changed_at, left_plan) VALUES (old.id, clock_timestamp(), old.plan);
  RETURN NULL;
END
$$;
CREATE TRIGGER remember_plan AFTER UPDATE OF plan ON oa.tenants
  FOR EACH ROW WHEN (old.plan <> new.plan) EXECUTE FUNCTION oa.remember_plan();

-- Versions of imported rows that a dataset named until `left_at`: a moment before may ask for them.
CREATE TABLE oa.row_versions_left (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  object_name text NOT NULL,
  object_version text NOT NULL,
  left_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, object_name, object_version)
);
CREATE INDEX row_versions_left_at ON oa.row_versions_left (tenant_id, left_at);
CREATE FUNCTION oa.remember_row_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO oa.row_versions_left (tenant_id, object_name, object_version, left_at)
  VALUES (old.tenant_id, old.rows_object_name, old.rows_object_version, clock_timestamp())
  ON CONFLICT (tenant_id, object_name, object_version) DO UPDATE SET left_at = excluded.left_at;
  RETURN NULL;
END
$$;
CREATE TRIGGER remember_replaced_rows AFTER UPDATE OF rows_object_name, rows_object_version ON oa.datasets
  FOR EACH ROW WHEN (old.rows_object_name IS NOT NULL
    AND (old.rows_object_name, old.rows_object_version) IS DISTINCT FROM (new.rows_object_name, new.rows_object_version))
  EXECUTE FUNCTION oa.remember_row_version();
CREATE TRIGGER remember_deleted_rows AFTER DELETE ON oa.datasets
  FOR EACH ROW WHEN (old.rows_object_name IS NOT NULL) EXECUTE FUNCTION oa.remember_row_version();

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['plan_changes', 'row_versions_left'] LOOP
    EXECUTE format('ALTER TABLE oa.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE oa.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY own_tenant ON oa.%I TO oa_service'
                   ' USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant())', name);
  END LOOP;
END
$$;
GRANT SELECT ON oa.plan_changes TO oa_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON oa.row_versions_left TO oa_service;
CREATE POLICY all_tenants ON oa.plan_changes TO oa_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON oa.plan_changes TO oa_operator;

-- An archive out of continuous backup.
ALTER TABLE oa.archives DROP CONSTRAINT archives_origin_check,
  ADD CONSTRAINT archives_origin_check CHECK (origin IN ('created', 'scheduled', 'uploaded', 'moment'));
