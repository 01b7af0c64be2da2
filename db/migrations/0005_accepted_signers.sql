-- Whose archives a tenant trusts beside its own: signers that one of its Owners accepted by fingerprint. A row is one
-- acceptance and is kept when it is revoked; a signer can be accepted again. Who accepted is named without a reference,
-- as history names people.
CREATE TABLE oa.accepted_signers (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  public_key text NOT NULL,
  fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
  note text NOT NULL,
  accepted_by uuid NOT NULL,
  accepted_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, public_key, accepted_at)
);
CREATE UNIQUE INDEX accepted_signers_in_force ON oa.accepted_signers (tenant_id, public_key) WHERE revoked_at IS NULL;

-- A retired key that was stolen can be distrusted; the one that signs is retired first.
ALTER TABLE oa.signing_keys
  ADD COLUMN revoked_at timestamptz,
  ADD CONSTRAINT signing_keys_revoked CHECK (revoked_at IS NULL OR retired_at IS NOT NULL);

ALTER TABLE oa.accepted_signers ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.accepted_signers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON oa.accepted_signers TO oa_service
  USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant());
-- History: of an acceptance only that it ended can be added.
GRANT SELECT, INSERT, UPDATE (revoked_at) ON oa.accepted_signers TO oa_service;
