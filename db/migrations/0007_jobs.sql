-- Long operations. A job that runs is held by a lease, a number made when it was taken: whoever lost it can write
-- nothing. `revision` grows with whatever can be seen of the job, not with heartbeats. People are named by id without a
-- reference, as history names them.
CREATE TABLE oa.jobs (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  kind text NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  request json NOT NULL,
  result json,
  failure_code text,
  failure_message text,
  failure_hint text,
  step text NOT NULL DEFAULT '',
  done bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
  total bigint NOT NULL DEFAULT 0 CHECK (total >= 0),
  unit text NOT NULL DEFAULT '',
  created_by uuid,
  trace_id text NOT NULL,
  cancel_requested boolean NOT NULL DEFAULT false,
  attempt bigint NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  run_after timestamptz NOT NULL DEFAULT now(),
  taken_at timestamptz,  -- last
  started_at timestamptz,  -- first
  finished_at timestamptz,
  lease uuid,
  leased_until timestamptz,
  PRIMARY KEY (tenant_id, id),
  CHECK (num_nonnulls(failure_code, failure_message, failure_hint) IN (0, 3)),
  CHECK ((state = 'running') = (lease IS NOT NULL)),
  CHECK ((lease IS NULL) = (leased_until IS NULL)),
  CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);
CREATE INDEX jobs_created ON oa.jobs (tenant_id, created_at, id);
CREATE INDEX jobs_taken ON oa.jobs (tenant_id, taken_at);
CREATE INDEX jobs_unfinished ON oa.jobs (tenant_id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_lease ON oa.jobs (lease) WHERE lease IS NOT NULL;

ALTER TABLE oa.jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON oa.jobs TO oa_service
  USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant());
GRANT SELECT, INSERT, UPDATE, DELETE ON oa.jobs TO oa_service;
-- The queue of all tenants: whose turn it is and who holds what, nothing of what a tenant asked for.
CREATE POLICY queue ON oa.jobs TO oa_operator USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, id, kind, state, cancel_requested, attempt, revision, created_at, run_after, taken_at, started_at,
              lease, leased_until) ON oa.jobs TO oa_operator;
GRANT UPDATE (state, attempt, revision, taken_at, started_at, lease, leased_until) ON oa.jobs TO oa_operator;
