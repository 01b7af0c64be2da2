-- How a dataset's rows come about and how the last attempt to refresh them went. Beside the dataset, not in it: an
-- archive does not carry it, and a restore that overwrites the dataset leaves it alone. It outlives the dataset (so that
-- there is no reference), because the original does: a deleted dataset that is restored can be refreshed again.
CREATE TABLE oa.dataset_sources (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  dataset_id uuid NOT NULL,
  original_object_name text,
  original_object_version text,
  original_options json,
  original_size_bytes bigint CHECK (original_size_bytes >= 0),
  original_digest bytea CHECK (length(original_digest) = 64),  -- BLAKE2b of the plaintext
  uploaded_at timestamptz,
  last_error_code text,
  last_error_message text,
  last_attempt_at timestamptz,
  PRIMARY KEY (tenant_id, dataset_id),
  CHECK (num_nonnulls(original_object_name, original_object_version, original_options, original_size_bytes,
                      original_digest, uploaded_at) IN (0, 6)),
  CHECK (num_nonnulls(last_error_code, last_error_message) IN (0, 2))
);
CREATE INDEX dataset_sources_uploaded ON oa.dataset_sources (tenant_id, uploaded_at) WHERE uploaded_at IS NOT NULL;

CREATE TABLE oa.alert_evaluations (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  alert_id uuid NOT NULL,
  evaluated_at timestamptz NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('ok', 'firing', 'no_data', 'error')),
  value double precision,
  reference double precision,
  detail json NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, alert_id) REFERENCES oa.alerts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX alert_evaluations_alert ON oa.alert_evaluations (tenant_id, alert_id, evaluated_at, id);

ALTER TABLE oa.secrets
  ADD COLUMN rotated_at timestamptz,
  ADD COLUMN expires_at timestamptz;  -- of a certificate
CREATE INDEX datasets_source_ref ON oa.datasets (tenant_id, source_ref) WHERE source_ref IS NOT NULL;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['dataset_sources', 'alert_evaluations'] LOOP
    EXECUTE format('ALTER TABLE oa.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE oa.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY own_tenant ON oa.%I TO oa_service'
                   ' USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant())', name);
  END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON oa.dataset_sources TO oa_service;
-- History: it goes only with its alert.
GRANT SELECT, INSERT ON oa.alert_evaluations TO oa_service;
