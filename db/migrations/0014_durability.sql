-- Whether what is stored can still be read: each version, when all of it was last read back and authenticated.
CREATE TABLE oa.object_checks (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  class text NOT NULL CHECK (class IN ('rows', 'originals', 'archives', 'wal', 'ledger')),
  object_name text NOT NULL,
  object_version text NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),  -- sealed
  first_seen_at timestamptz NOT NULL,
  listed_at timestamptz,  -- by the store, last; NULL: only the catalog names it
  looked_at timestamptz,  -- last, whatever came of it
  verified_at timestamptz,
  sealed_sha256 bytea CHECK (length(sealed_sha256) = 32),  -- of what was verified
  state text NOT NULL CHECK (state IN ('unverified', 'good', 'suspect', 'damaged', 'locked', 'shredded')),
  damage text,  -- a code
  found_at timestamptz,
  repaired_at timestamptz,
  repaired_from text CHECK (repaired_from IN ('replica', 'kept-copy')),
  PRIMARY KEY (tenant_id, class, object_name, object_version),
  CHECK ((state = 'damaged') = (damage IS NOT NULL)),
  CHECK ((state = 'damaged') = (found_at IS NOT NULL)),
  CHECK ((repaired_at IS NULL) = (repaired_from IS NULL)),
  CHECK ((verified_at IS NULL) = (sealed_sha256 IS NULL))
);
CREATE INDEX object_checks_verified ON oa.object_checks (tenant_id, verified_at NULLS FIRST);
ALTER TABLE oa.object_checks ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.object_checks FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON oa.object_checks TO oa_service
  USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant());
GRANT SELECT, INSERT, UPDATE, DELETE ON oa.object_checks TO oa_service;

-- What checks of the bucket and the scrub found, as a chain: `hash` is the SHA-256 over `previous` and `body`.
CREATE TABLE oa.durability_records (
  number bigint PRIMARY KEY CHECK (number >= 1),
  kind text NOT NULL CHECK (kind IN ('bucket', 'coverage')),
  made_at timestamptz NOT NULL,
  body text NOT NULL,
  previous bytea NOT NULL CHECK (length(previous) = 32),
  hash bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX durability_records_kind ON oa.durability_records (kind, number);
ALTER TABLE oa.durability_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.durability_records FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON oa.durability_records TO oa_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON oa.durability_records TO oa_operator;
