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

ALTER TABLE oa.audit_checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.audit_checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON oa.audit_checkpoints TO oa_service
  USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant());
CREATE POLICY removal ON oa.audit_checkpoints TO oa_owner
  USING (tenant_id = oa.removed_tenant()) WITH CHECK (tenant_id = oa.removed_tenant());
GRANT SELECT, INSERT ON oa.audit_checkpoints TO oa_service;
