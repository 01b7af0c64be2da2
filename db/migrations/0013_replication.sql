-- What the replication monitor knows of the bucket's copy in another region: one row, the operator's.
CREATE TABLE oa.replication_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  busy_until timestamptz NOT NULL,  -- nobody begins a round before
  body json NOT NULL
);
ALTER TABLE oa.replication_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.replication_state FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON oa.replication_state TO oa_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON oa.replication_state TO oa_operator;
