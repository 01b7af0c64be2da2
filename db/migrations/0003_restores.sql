-- A restore from its plan on: what was asked for, what was approved, what became of it. People are named by id without a
-- reference, as history names them: whoever asked may be gone.
ALTER TABLE oa.restores
  DROP CONSTRAINT restores_state_check,
  ADD CONSTRAINT restores_state_check CHECK (state IN ('planned', 'applying', 'applied', 'undone')),
  ADD COLUMN kind text NOT NULL DEFAULT 'restore' CHECK (kind IN ('restore', 'import', 'undo')),
  ADD COLUMN content_hash text NOT NULL DEFAULT '',
  ADD COLUMN source json NOT NULL DEFAULT '{}',
  ADD COLUMN request json NOT NULL DEFAULT '{}',
  ADD COLUMN plan json NOT NULL DEFAULT '{}',
  ADD COLUMN plan_hash text NOT NULL DEFAULT '',
  ADD COLUMN item_count bigint NOT NULL DEFAULT 0 CHECK (item_count >= 0),
  ADD COLUMN created_by uuid,
  ADD COLUMN approved_by uuid,
  ADD COLUMN approved_at timestamptz,
  ADD COLUMN undo_object_name text,
  ADD COLUMN undo_object_version text,
  ADD COLUMN undoes uuid,
  ADD COLUMN undone_by uuid,
  ADD COLUMN last_failure text,
  ADD CONSTRAINT restores_undo_object_check CHECK (num_nonnulls(undo_object_name, undo_object_version) IN (0, 2));
CREATE INDEX restores_created ON oa.restores (tenant_id, created_at);
-- A restore is taken back once.
CREATE UNIQUE INDEX restores_undoes ON oa.restores (tenant_id, undoes) WHERE state = 'applied';

-- The lines of a plan, in its order; gone when a plan that was not applied is.
CREATE TABLE oa.restore_items (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),
  restore_id uuid NOT NULL,
  ordinal bigint NOT NULL CHECK (ordinal >= 0),
  kind text NOT NULL CHECK (kind IN ('workspace', 'dataset', 'report', 'alert')),
  source_id uuid NOT NULL,
  target_id uuid NOT NULL,
  action text NOT NULL
    CHECK (action IN ('create', 'overwrite', 'fork', 'skip', 'identical', 'blocked', 'remove')),
  name text NOT NULL,
  document json NOT NULL,
  PRIMARY KEY (tenant_id, restore_id, ordinal),
  FOREIGN KEY (tenant_id, restore_id) REFERENCES oa.restores (tenant_id, id) ON DELETE CASCADE
);

DO $$
BEGIN
  ALTER TABLE oa.restore_items ENABLE ROW LEVEL SECURITY;
  ALTER TABLE oa.restore_items FORCE ROW LEVEL SECURITY;
  CREATE POLICY own_tenant ON oa.restore_items TO oa_service
    USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant());
END
$$;
GRANT SELECT, INSERT, DELETE ON oa.restore_items TO oa_service;
