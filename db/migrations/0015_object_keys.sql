-- Data keys of objects that were wrapped anew when the tenant's key was rotated. An object's version never changes, so the
-- wrap that its header has stays in it; what stands here is used instead. Rows may be lost: the header's still opens.
CREATE TABLE oa.object_keys (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  retention_class text NOT NULL,
  name text NOT NULL,
  version text NOT NULL,
  key_id text NOT NULL CHECK (octet_length(key_id) <= 255),
  wrapped bytea NOT NULL CHECK (octet_length(wrapped) BETWEEN 1 AND 4096),
  seen_at timestamptz NOT NULL,  -- when its version was there, at the last look
  PRIMARY KEY (tenant_id, retention_class, name, version)
);
ALTER TABLE oa.object_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.object_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON oa.object_keys TO oa_service
  USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant());
GRANT SELECT, INSERT, UPDATE, DELETE ON oa.object_keys TO oa_service;

-- What is left of a tenant whose key was destroyed goes, history too, but for its row in `tenants`: the name stays taken, and
-- who asks hears that it was destroyed. Whoever calls makes sure of the key first. The owner is bound as everybody is, but for
-- the tenant whose removal is on.
CREATE FUNCTION oa.removed_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('oa.removed_tenant', true), '')::uuid;
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT table_name FROM information_schema.columns
              WHERE table_schema = 'oa' AND column_name = 'tenant_id' LOOP
    EXECUTE format('CREATE POLICY removal ON oa.%I TO oa_owner'
                   ' USING (tenant_id = oa.removed_tenant()) WITH CHECK (tenant_id = oa.removed_tenant())', name);
  END LOOP;
END
$$;
CREATE FUNCTION oa.remove_tenant_rows(tenant uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, oa, pg_temp AS $$
DECLARE
  name text;
  removed bigint := 0;
  here bigint;
  blocked boolean;
BEGIN
  PERFORM set_config('oa.removed_tenant', tenant::text, true);
  FOR round IN 1..16 LOOP  -- deeper than references are
    blocked := false;
    FOR name IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
                WHERE c.relnamespace = 'oa'::regnamespace AND c.relkind = 'r' ORDER BY c.relname LOOP
      BEGIN
        EXECUTE format('DELETE FROM oa.%I WHERE tenant_id = $1', name) USING tenant;
        GET DIAGNOSTICS here = ROW_COUNT;
        removed := removed + here;
        blocked := blocked OR here > 0;  -- triggers may have added rows
      EXCEPTION WHEN foreign_key_violation THEN
        blocked := true;
      END;
    END LOOP;
    EXIT WHEN NOT blocked;
  END LOOP;
  PERFORM set_config('oa.removed_tenant', '', true);
  RETURN removed;
END
$$;
REVOKE ALL ON FUNCTION oa.remove_tenant_rows(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oa.remove_tenant_rows(uuid) TO oa_operator;
