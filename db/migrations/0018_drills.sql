-- Recovery drills (docs/drills.md): which tenants take part, and what was done. The signed records are in the object store.

CREATE TABLE oa.drill_consents (
  tenant_id uuid PRIMARY KEY DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  takes_part boolean NOT NULL,
  changed_at timestamptz NOT NULL,
  changed_by uuid  -- NULL: the operator
);
ALTER TABLE oa.drill_consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.drill_consents FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON oa.drill_consents TO oa_service
  USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant());
CREATE POLICY removal ON oa.drill_consents TO oa_owner
  USING (tenant_id = oa.removed_tenant()) WITH CHECK (tenant_id = oa.removed_tenant());
-- The operator chooses among those that take part.
CREATE POLICY all_tenants ON oa.drill_consents FOR SELECT TO oa_operator USING (true);
GRANT SELECT, INSERT, UPDATE ON oa.drill_consents TO oa_service;
GRANT SELECT (tenant_id, takes_part) ON oa.drill_consents TO oa_operator;

-- The operator's. Of whose archive it was is here alone, never in a published record.
CREATE TABLE oa.drills (
  id uuid PRIMARY KEY,
  source uuid NOT NULL,  -- tenant whose archive is restored
  recovery uuid,         -- the tenant that it is restored into, as long as that is there
  state text NOT NULL CHECK (state IN ('validating', 'successful', 'failed', 'timed_out')),
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  number bigint,             -- of its record
  keep_until timestamptz,    -- the recovery tenant of a drill that failed is kept so long, to be looked at
  detail json NOT NULL,      -- the steps
  CHECK ((state = 'validating') = (finished_at IS NULL))
);
CREATE INDEX drills_started ON oa.drills (started_at, id);
ALTER TABLE oa.drills ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.drills FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON oa.drills TO oa_operator USING (true) WITH CHECK (true);
CREATE POLICY removal ON oa.drills FOR SELECT TO oa_owner USING (recovery = oa.removed_tenant());
GRANT SELECT, INSERT, UPDATE ON oa.drills TO oa_operator;

-- The row of a recovery tenant itself, once remove_tenant_rows() took all else: its name may be used again, and nobody will ask
-- for it. Of another tenant it stays.
CREATE POLICY removal ON oa.tenants TO oa_owner USING (id = oa.removed_tenant()) WITH CHECK (id = oa.removed_tenant());
CREATE FUNCTION oa.remove_recovery_tenant(tenant uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, oa, pg_temp AS $$
DECLARE
  removed bigint;
BEGIN
  PERFORM set_config('oa.removed_tenant', tenant::text, true);
  DELETE FROM oa.tenants t WHERE t.id = tenant AND EXISTS (SELECT FROM oa.drills d WHERE d.recovery = tenant AND d.source <> tenant);
  GET DIAGNOSTICS removed = ROW_COUNT;
  PERFORM set_config('oa.removed_tenant', '', true);
  RETURN removed;
END
$$;
REVOKE ALL ON FUNCTION oa.remove_recovery_tenant(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oa.remove_recovery_tenant(uuid) TO oa_operator;
