-- Whom a report is shared with beside the members of its workspace: a user or a team, as in oa.workspace_roles.
-- Nobody administrates a single report.
CREATE TABLE oa.report_grants (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  report_id uuid NOT NULL,
  principal uuid NOT NULL GENERATED ALWAYS AS (coalesce(user_id, team_id)) STORED,
  user_id uuid,
  team_id uuid,
  role text NOT NULL CHECK (role IN ('viewer', 'editor')),
  PRIMARY KEY (tenant_id, report_id, principal),
  CHECK (num_nonnulls(user_id, team_id) = 1),
  FOREIGN KEY (tenant_id, report_id) REFERENCES oa.reports (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES oa.users (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, team_id) REFERENCES oa.teams (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX report_grants_user ON oa.report_grants (tenant_id, user_id);
CREATE INDEX report_grants_team ON oa.report_grants (tenant_id, team_id);

ALTER TABLE oa.report_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE oa.report_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON oa.report_grants TO oa_service
  USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant());
GRANT SELECT, INSERT, UPDATE, DELETE ON oa.report_grants TO oa_service;
