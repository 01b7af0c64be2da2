-- Exports, erasures and the ledger that keeps the erased erased (docs/privacy.md).

CREATE TABLE oa.privacy_settings (
  tenant_id uuid PRIMARY KEY DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  archives text NOT NULL CHECK (archives IN ('list', 'rewrite')),  -- what becomes of stored archives that hold an erased person
  cooling_off_days bigint NOT NULL CHECK (cooling_off_days BETWEEN 0 AND 30)
);

-- Kept for ever. Nothing of the person but their id is in it.
CREATE TABLE oa.erasures (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('scheduled', 'cancelled', 'done')),
  requested_by uuid,  -- NULL: the operator
  requested_at timestamptz NOT NULL,
  execute_at timestamptz NOT NULL,
  erased_at timestamptz,
  ledger_number bigint,
  effects json NOT NULL DEFAULT '{}',  -- counts by what was done
  certificate json,  -- the statement and its signature
  PRIMARY KEY (tenant_id, id),
  CHECK ((state = 'done') = (erased_at IS NOT NULL AND ledger_number IS NOT NULL))
);
CREATE UNIQUE INDEX erasures_open ON oa.erasures (tenant_id, user_id) WHERE state = 'scheduled';
CREATE INDEX erasures_due ON oa.erasures (execute_at) WHERE state = 'scheduled';

CREATE TABLE oa.personal_exports (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  user_id uuid NOT NULL,  -- whose data
  requested_by uuid,      -- NULL: the operator
  requested_at timestamptz NOT NULL,
  object_name text,       -- until it is removed
  object_version text,
  size_bytes bigint CHECK (size_bytes >= 0),
  digest bytea CHECK (length(digest) = 32),  -- SHA-256 of the bundle
  counts json NOT NULL DEFAULT '{}',
  made_at timestamptz,
  expires_at timestamptz,
  removed_at timestamptz,
  downloads bigint NOT NULL DEFAULT 0,
  last_download_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX personal_exports_user ON oa.personal_exports (tenant_id, user_id);

-- Which entries of the ledger in the object store this database has carried out, without gaps. A tenant sees and adds its own.
CREATE TABLE oa.erasure_ledger (
  number bigint PRIMARY KEY CHECK (number >= 1),
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),  -- may not be there any more
  user_id uuid NOT NULL,
  erased_at timestamptz NOT NULL,
  address bytea NOT NULL CHECK (length(address) = 32),  -- keyed hash of the e-mail address
  hash bytea NOT NULL CHECK (length(hash) = 32),
  applied_at timestamptz NOT NULL
);
CREATE INDEX erasure_ledger_user ON oa.erasure_ledger (user_id);

-- Behind which event a chain begins, since older ones were removed when the plan's time was over.
CREATE TABLE oa.audit_checkpoints (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  sequence bigint NOT NULL CHECK (sequence >= 1),
  hash bytea NOT NULL CHECK (length(hash) = 32),
  made_at timestamptz NOT NULL,
  statement text NOT NULL,
  signature text NOT NULL,
  PRIMARY KEY (tenant_id, sequence)
);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['privacy_settings', 'erasures', 'personal_exports', 'erasure_ledger', 'audit_checkpoints'] LOOP
    EXECUTE format('ALTER TABLE oa.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE oa.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY own_tenant ON oa.%I TO oa_service'
                   ' USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant())', name);
    CONTINUE WHEN name = 'erasure_ledger';  -- its numbers have no gaps; it stays when a tenant is removed
    EXECUTE format('CREATE POLICY removal ON oa.%I TO oa_owner'
                   ' USING (tenant_id = oa.removed_tenant()) WITH CHECK (tenant_id = oa.removed_tenant())', name);
  END LOOP;
END
$$;
-- The operator replays the ledger and carries out what has waited long enough.
CREATE POLICY all_tenants ON oa.erasure_ledger TO oa_operator USING (true) WITH CHECK (true);
CREATE POLICY all_tenants ON oa.erasures FOR SELECT TO oa_operator USING (true);
GRANT SELECT, INSERT ON oa.erasure_ledger TO oa_operator;
GRANT SELECT (tenant_id, id, user_id, state, execute_at) ON oa.erasures TO oa_operator;
GRANT SELECT, INSERT, UPDATE ON oa.privacy_settings, oa.erasures, oa.personal_exports TO oa_service;
GRANT SELECT, INSERT ON oa.erasure_ledger, oa.audit_checkpoints TO oa_service;

-- What was retained long enough goes, once a checkpoint says what it ended with.
CREATE POLICY retained ON oa.audit_events AS RESTRICTIVE FOR DELETE TO oa_service
  USING (sequence <= (SELECT max(c.sequence) FROM oa.audit_checkpoints c WHERE c.tenant_id = oa.current_tenant()));
GRANT DELETE ON oa.audit_events TO oa_service;
