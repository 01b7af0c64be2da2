-- A request that is repeated has no second effect: whose effect is no part of the transaction that remembers the answer
-- claims its key first. Status 0: claimed, and how it ended is not known.
GRANT UPDATE (status, headers, body) ON oa.idempotent_answers TO oa_service;

-- The same for the operators' API, which belongs to no tenant.
CREATE TABLE oa.operator_answers (
  key text PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 128),
  request bytea NOT NULL CHECK (length(request) = 32),
  status bigint NOT NULL,
  headers json NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX operator_answers_created ON oa.operator_answers (created_at);
ALTER TABLE oa.operator_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.operator_answers FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON oa.operator_answers TO oa_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON oa.operator_answers TO oa_operator;

-- The operator changes what a tenant pays for.
GRANT UPDATE (plan) ON oa.tenants TO oa_operator;
