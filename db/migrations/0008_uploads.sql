-- Uploads that can be resumed. What has arrived lies in sealed objects, one a part; a part counts once its row is here,
-- and the upload goes on at offset_bytes, the sum of its parts. Who began it is named without a reference: uploads live
-- for days.
CREATE TABLE oa.uploads (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  created_by uuid,
  file_name text NOT NULL CHECK (octet_length(file_name) <= 255),
  length_bytes bigint NOT NULL CHECK (length_bytes >= 0),
  offset_bytes bigint NOT NULL DEFAULT 0 CHECK (offset_bytes BETWEEN 0 AND length_bytes),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  fence bigint NOT NULL DEFAULT 0,  -- grows with everyone who takes the upload; who came before cannot add to it any more
  held_until timestamptz,           -- unless renewed, whoever has it gave it up
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE oa.upload_parts (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  upload_id uuid NOT NULL,
  start_bytes bigint NOT NULL CHECK (start_bytes >= 0),
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  object_version text NOT NULL,
  PRIMARY KEY (tenant_id, upload_id, start_bytes),
  FOREIGN KEY (tenant_id, upload_id) REFERENCES oa.uploads (tenant_id, id) ON DELETE CASCADE
);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['uploads', 'upload_parts'] LOOP
    EXECUTE format('ALTER TABLE oa.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE oa.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY own_tenant ON oa.%I TO oa_service'
                   ' USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant())', name);
  END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE (offset_bytes, expires_at, fence, held_until), DELETE ON oa.uploads TO oa_service;
GRANT SELECT, INSERT ON oa.upload_parts TO oa_service;
