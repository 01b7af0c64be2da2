-- Signing in. Of a cookie or a token only the SHA-256 is kept; its secret has 256 random bits.
ALTER TABLE oa.sessions ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE oa.tokens ADD COLUMN last_used_at timestamptz;

-- Attempts to sign in that failed or are under way, each counted twice: for its account and for where it came from. The
-- key is a hash of either, and nothing tells the two apart; a row is removed when it counts no more. Belongs to no tenant:
-- one address may try many, and organisations that there are not.
CREATE TABLE oa.sign_in_attempts (
  key bytea PRIMARY KEY CHECK (length(key) = 32),
  attempts bigint NOT NULL CHECK (attempts >= 0),
  locked_until timestamptz,
  forget_at timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_forget ON oa.sign_in_attempts (forget_at);

ALTER TABLE oa.sign_in_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.sign_in_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON oa.sign_in_attempts TO oa_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON oa.sign_in_attempts TO oa_operator;
