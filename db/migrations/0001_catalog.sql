-- What a tenant owns. Every table carries the tenant in its key and in each of its references, so that no row can
-- point across tenants. Documents are `json`, not `jsonb`: archives prove equality by bytes, and jsonb would respell
-- numbers and refuse \u0000.

-- The tenant of the running transaction; NULL when none was named, and then nothing is visible.
CREATE FUNCTION oa.current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('oa.tenant_id', true), '')::uuid;

CREATE TABLE oa.tenants (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE,
  plan text NOT NULL CHECK (plan IN ('starter', 'growth', 'scale')),
  created_at timestamptz NOT NULL
);

CREATE TABLE oa.users (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  email text NOT NULL,
  first_name text NOT NULL,
  last_name text NOT NULL,
  attributes json NOT NULL,
  active boolean NOT NULL,
  owner boolean NOT NULL,
  password_hash text,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX users_email ON oa.users (tenant_id, lower(email COLLATE "C"));  -- ASCII only, as the planner of restores compares

CREATE TABLE oa.teams (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE oa.team_members (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  team_id uuid NOT NULL,
  user_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, team_id, user_id),
  FOREIGN KEY (tenant_id, team_id) REFERENCES oa.teams (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES oa.users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX team_members_user ON oa.team_members (tenant_id, user_id);

CREATE TABLE oa.workspaces (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- A role is held by a user or by a team; `principal` is whichever it is.
CREATE TABLE oa.workspace_roles (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  workspace_id uuid NOT NULL,
  principal uuid NOT NULL GENERATED ALWAYS AS (coalesce(user_id, team_id)) STORED,
  user_id uuid,
  team_id uuid,
  role text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
  PRIMARY KEY (tenant_id, workspace_id, principal),
  CHECK (num_nonnulls(user_id, team_id) = 1),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES oa.workspaces (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES oa.users (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, team_id) REFERENCES oa.teams (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX workspace_roles_user ON oa.workspace_roles (tenant_id, user_id);
CREATE INDEX workspace_roles_team ON oa.workspace_roles (tenant_id, team_id);

CREATE TABLE oa.datasets (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  name text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('import', 'direct', 'composite')),
  state text NOT NULL
    CHECK (state IN ('created', 'syncing', 'ready', 'refreshing', 'error', 'paused')),
  model_yaml text NOT NULL,
  source_ref text,
  row_count bigint NOT NULL CHECK (row_count >= 0),
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  last_refresh_at timestamptz,
  rows_object_name text,
  rows_object_version text,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK ((rows_object_name IS NULL) = (rows_object_version IS NULL)),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES oa.workspaces (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES oa.users (tenant_id, id)
);
CREATE INDEX datasets_workspace ON oa.datasets (tenant_id, workspace_id, id);
CREATE INDEX datasets_created_by ON oa.datasets (tenant_id, created_by);

CREATE TABLE oa.dataset_versions (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  dataset_id uuid NOT NULL,
  version bigint NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
  columns json NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, dataset_id, version),
  FOREIGN KEY (tenant_id, dataset_id) REFERENCES oa.datasets (tenant_id, id) ON DELETE CASCADE
);

-- `document` holds layout, filters, visuals and bookmarks.
CREATE TABLE oa.reports (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  name text NOT NULL,
  document json COMPRESSION lz4 NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES oa.workspaces (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES oa.users (tenant_id, id)
);
CREATE INDEX reports_workspace ON oa.reports (tenant_id, workspace_id, id);
CREATE INDEX reports_created_by ON oa.reports (tenant_id, created_by);

-- The datasets that a report's visuals name, kept beside the document so that the reference is enforced.
CREATE TABLE oa.report_datasets (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  report_id uuid NOT NULL,
  dataset_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, report_id, dataset_id),
  FOREIGN KEY (tenant_id, report_id) REFERENCES oa.reports (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, dataset_id) REFERENCES oa.datasets (tenant_id, id)
);
CREATE INDEX report_datasets_dataset ON oa.report_datasets (tenant_id, dataset_id);

CREATE TABLE oa.alerts (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  dataset_id uuid NOT NULL,
  name text NOT NULL,
  measure text NOT NULL,
  condition json NOT NULL,
  grain text NOT NULL,
  channels json NOT NULL,
  enabled boolean NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES oa.workspaces (tenant_id, id),
  FOREIGN KEY (tenant_id, dataset_id) REFERENCES oa.datasets (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES oa.users (tenant_id, id)
);
CREATE INDEX alerts_workspace ON oa.alerts (tenant_id, workspace_id, id);
CREATE INDEX alerts_dataset ON oa.alerts (tenant_id, dataset_id);
CREATE INDEX alerts_created_by ON oa.alerts (tenant_id, created_by);

CREATE TABLE oa.secrets (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('postgres', 'cloud_key', 'saml_certificate')),
  sealed bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name)
);

CREATE TABLE oa.sessions (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, token_hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES oa.users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_user ON oa.sessions (tenant_id, user_id);

CREATE TABLE oa.tokens (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  name text NOT NULL,
  token_hash bytea NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, token_hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES oa.users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX tokens_user ON oa.tokens (tenant_id, user_id);

CREATE TABLE oa.signing_keys (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  public_key text NOT NULL,
  sealed_seed bytea NOT NULL,
  created_at timestamptz NOT NULL,
  retired_at timestamptz,
  PRIMARY KEY (tenant_id, public_key)
);
-- One key signs at a time.
CREATE UNIQUE INDEX signing_keys_current ON oa.signing_keys (tenant_id) WHERE retired_at IS NULL;

CREATE TABLE oa.audit_events (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  sequence bigint NOT NULL CHECK (sequence > 0),
  ts timestamptz NOT NULL,
  actor_type text NOT NULL,
  actor_id uuid,
  action text NOT NULL,
  resource_type text NOT NULL,
  resource_id text NOT NULL,
  detail json NOT NULL,
  trace_id text NOT NULL,
  personal json NOT NULL,
  previous_hash bytea NOT NULL CHECK (length(previous_hash) = 32),
  hash bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (tenant_id, sequence),
  UNIQUE (tenant_id, id)
);

-- The end of each tenant's chain; its row lock orders the appenders.
CREATE TABLE oa.audit_heads (
  tenant_id uuid PRIMARY KEY DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  sequence bigint NOT NULL CHECK (sequence >= 0),
  hash bytea NOT NULL CHECK (length(hash) = 32)
);

CREATE TABLE oa.archives (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  snapshot_time timestamptz NOT NULL,
  object_name text NOT NULL,
  object_version text NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  with_rows boolean NOT NULL,
  with_audit boolean NOT NULL,
  counts json NOT NULL,
  content_hash text NOT NULL,
  signer text NOT NULL,
  created_by uuid,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES oa.users (tenant_id, id)
);

-- archive_id has no foreign key: an uploaded archive is in no store of ours.
CREATE TABLE oa.restores (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  archive_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('planned', 'applied')),
  summary json NOT NULL,
  created_at timestamptz NOT NULL,
  applied_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);

-- Row-level security, forced so that the owner is bound too. What no policy allows is refused.
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables
              WHERE schemaname = 'oa' AND tablename <> 'schema_migrations' LOOP
    EXECUTE format('ALTER TABLE oa.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE oa.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY own_tenant ON oa.%I TO oa_service'
                   ' USING (%2$I = oa.current_tenant()) WITH CHECK (%2$I = oa.current_tenant())',
                   name, CASE name WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END);
  END LOOP;
END
$$;
-- The operator knows which tenants there are, and nothing of what they own.
CREATE POLICY all_tenants ON oa.tenants TO oa_operator USING (true) WITH CHECK (true);

GRANT USAGE ON SCHEMA oa TO oa_service, oa_operator;
GRANT SELECT, INSERT ON oa.tenants TO oa_operator;
GRANT SELECT ON oa.tenants TO oa_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON
  oa.users, oa.teams, oa.team_members, oa.workspaces, oa.workspace_roles, oa.datasets, oa.dataset_versions,
  oa.reports, oa.report_datasets, oa.alerts, oa.secrets, oa.sessions, oa.tokens, oa.archives
  TO oa_service;
-- History: retired keys stay trusted, restores stay known, the audit chain only grows.
GRANT SELECT, INSERT, UPDATE ON oa.signing_keys, oa.restores, oa.audit_heads TO oa_service;
GRANT SELECT, INSERT ON oa.audit_events TO oa_service;
