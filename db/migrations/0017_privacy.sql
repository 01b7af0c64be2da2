-- Exports, erasures and the ledger that keeps the erased erased (docs/privacy.md).

CREATE TABLE oa.privacy_settings (
  tenant_id uuid PRIMARY KEY DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  archives text NOT NULL CHECK (archives IN ('list', 'rewrite')),  -- what becomes of stored archives that hold an erased person
  cooling_off_days bigint NOT NULL CHECK (cooling_off_days BETWEEN 0 AND 30)
);

-- Kept for ever. Nothing of the person but their id is in it.
CREATE TABLE oa.erasures (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('scheduled', 'cancelled', 'done')),
  requested_by uuid,  -- NULL: the operator
  requested_at timestamptz NOT NULL,
  execute_at timestamptz NOT NULL,
  erased_at timestamptz,
  ledger_number bigint,
  effects json NOT NULL DEFAULT '{}',  -- counts by what was done
  certificate json,  -- the statement and its signature
  PRIMARY KEY (tenant_id, id),
  CHECK ((state = 'done') = (erased_at IS NOT NULL AND ledger_number IS NOT NULL))
);
CREATE UNIQUE INDEX erasures_open ON oa.erasures (tenant_id, user_id) WHERE state = 'scheduled';
CREATE INDEX erasures_due ON oa.erasures (execute_at) WHERE state = 'scheduled';

CREATE TABLE oa.personal_exports (
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant() REFERENCES oa.tenants (id),
  id uuid NOT NULL,
  user_id uuid NOT NULL,  -- whose data
  requested_by uuid,      -- NULL: the operator
  requested_at timestamptz NOT NULL,
  object_name text,       -- until it is removed
  object_version text,
  size_bytes bigint CHECK (size_bytes >= 0),
  digest bytea CHECK (length(digest) = 32),  -- SHA-256 of the bundle
  counts json NOT NULL DEFAULT '{}',
  made_at timestamptz,
  expires_at timestamptz,
  removed_at timestamptz,
  downloads bigint NOT NULL DEFAULT 0,
  last_download_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX personal_exports_user ON oa.personal_exports (tenant_id, user_id);

-- Which entries of the ledger in the object store this database has carried out, without gaps. A tenant sees and adds its own.
CREATE TABLE oa.erasure_ledger (
  number bigint PRIMARY KEY CHECK (number >= 1),
  tenant_id uuid NOT NULL DEFAULT oa.current_tenant(),  -- may not be there any more
  user_id uuid NOT NULL,
  erased_at timestamptz NOT NULL,
  address bytea NOT NULL CHECK (length(address) = 32),  -- keyed hash of the e-mail address
  hash bytea NOT NULL CHECK (length(hash) = 32),
  applied_at timestamptz NOT NULL
);
CREATE INDEX erasure_ledger_user ON oa.erasure_ledger (user_id);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['privacy_settings', 'erasures', 'personal_exports', 'erasure_ledger'] LOOP
    EXECUTE format('ALTER TABLE oa.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE oa.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY own_tenant ON oa.%I TO oa_service'
                   ' USING (tenant_id = oa.current_tenant()) WITH CHECK (tenant_id = oa.current_tenant())', name);
    CONTINUE WHEN name = 'erasure_ledger';  -- its numbers have no gaps; it stays when a tenant is removed
    EXECUTE format('CREATE POLICY removal ON oa.%I TO oa_owner'
                   ' USING (tenant_id = oa.removed_tenant()) WITH CHECK (tenant_id = oa.removed_tenant())', name);
  END LOOP;
END
$$;
-- The operator replays the ledger and carries out what has waited long enough.
CREATE POLICY all_tenants ON oa.erasure_ledger TO oa_operator USING (true) WITH CHECK (true);
CREATE POLICY all_tenants ON oa.erasures FOR SELECT TO oa_operator USING (true);
GRANT SELECT, INSERT ON oa.erasure_ledger TO oa_operator;
GRANT SELECT (tenant_id, id, user_id, state, execute_at) ON oa.erasures TO oa_operator;
GRANT SELECT, INSERT, UPDATE ON oa.privacy_settings, oa.erasures, oa.personal_exports TO oa_service;
GRANT SELECT, INSERT ON oa.erasure_ledger TO oa_service;

-- Personal values of audit events are redacted, never changed in another way; the chain's hashes hold their commitments
-- (docs/format.md, "Audit chain"). Nobody can write the column; these functions see the current tenant's events alone, and the
-- owner sees none outside of them.
CREATE FUNCTION oa.maintained_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('oa.maintained_tenant', true), '')::uuid;
CREATE POLICY maintenance ON oa.audit_events TO oa_owner
  USING (tenant_id = oa.maintained_tenant()) WITH CHECK (tenant_id = oa.maintained_tenant());
CREATE FUNCTION oa.redacted_value(value json, tombstone text) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN json_build_object('commitment', value->>'commitment', 'redacted', true, 'salt', '', 'value', tombstone);

-- Whose values they are by the event itself: "actor." ones of what the person did, the others of what was done to them.
CREATE FUNCTION oa.redact_audit_events(person uuid, tombstone text, after bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, oa, pg_temp AS $$
DECLARE
  redacted bigint;
BEGIN
  IF tombstone !~ '^redacted-[0-9a-f]{32}$' THEN
    RAISE EXCEPTION 'no tombstone' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM set_config('oa.maintained_tenant', oa.current_tenant()::text, true);
  UPDATE oa.audit_events e SET personal =
    (SELECT json_object_agg(p.key, CASE
       WHEN (p.value->>'redacted')::boolean THEN p.value
       WHEN CASE WHEN starts_with(p.key, 'actor.') THEN coalesce(e.actor_id = person, false)
                 ELSE e.resource_type = 'user' AND e.resource_id = person::text END
         THEN oa.redacted_value(p.value, tombstone)
       ELSE p.value END) FROM json_each(e.personal) p)
  WHERE e.sequence > after AND (e.actor_id = person OR e.resource_type = 'user' AND e.resource_id = person::text)
    AND EXISTS (SELECT FROM json_each(e.personal) p WHERE NOT (p.value->>'redacted')::boolean
      AND CASE WHEN starts_with(p.key, 'actor.') THEN coalesce(e.actor_id = person, false)
               ELSE e.resource_type = 'user' AND e.resource_id = person::text END);
  GET DIAGNOSTICS redacted = ROW_COUNT;
  PERFORM set_config('oa.maintained_tenant', '', true);
  RETURN redacted;
END
$$;

-- Values of one event that are or mention the person's, wherever they stand.
CREATE FUNCTION oa.redact_audit_values(event bigint, paths text[], tombstone text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, oa, pg_temp AS $$
DECLARE
  redacted bigint;
BEGIN
  IF tombstone !~ '^redacted-[0-9a-f]{32}$' THEN
    RAISE EXCEPTION 'no tombstone' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM set_config('oa.maintained_tenant', oa.current_tenant()::text, true);
  UPDATE oa.audit_events e SET personal =
    (SELECT json_object_agg(p.key, CASE WHEN p.key = ANY (paths) AND NOT (p.value->>'redacted')::boolean
       THEN oa.redacted_value(p.value, tombstone) ELSE p.value END) FROM json_each(e.personal) p)
  WHERE e.sequence = event AND e.personal::text <> '{}';
  GET DIAGNOSTICS redacted = ROW_COUNT;
  PERFORM set_config('oa.maintained_tenant', '', true);
  RETURN redacted;
END
$$;

-- What was retained long enough goes, once a checkpoint says what it ended with.
CREATE POLICY maintenance ON oa.audit_checkpoints FOR SELECT TO oa_owner USING (tenant_id = oa.maintained_tenant());
CREATE FUNCTION oa.retire_audit_events() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, oa, pg_temp AS $$
DECLARE
  retired bigint;
BEGIN
  PERFORM set_config('oa.maintained_tenant', oa.current_tenant()::text, true);
  DELETE FROM oa.audit_events WHERE ts < now() - interval '89 days'
    AND sequence <= (SELECT max(c.sequence) FROM oa.audit_checkpoints c WHERE c.tenant_id = oa.maintained_tenant());
  GET DIAGNOSTICS retired = ROW_COUNT;
  PERFORM set_config('oa.maintained_tenant', '', true);
  RETURN retired;
END
$$;
REVOKE ALL ON FUNCTION oa.redacted_value(json, text), oa.redact_audit_events(uuid, text, bigint),
  oa.redact_audit_values(bigint, text[], text), oa.retire_audit_events() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oa.redact_audit_events(uuid, text, bigint), oa.redact_audit_values(bigint, text[], text),
  oa.retire_audit_events() TO oa_service;

-- Who was erased while a request of theirs was on its way: nothing more is written of them.
CREATE FUNCTION oa.refuse_erased_actor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.actor_id IS NOT NULL
     AND EXISTS (SELECT FROM oa.erasure_ledger l WHERE l.user_id = NEW.actor_id AND l.tenant_id = NEW.tenant_id) THEN
    RAISE EXCEPTION 'the person was erased' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER refuse_erased_actor BEFORE INSERT ON oa.audit_events FOR EACH ROW EXECUTE FUNCTION oa.refuse_erased_actor();

-- What mentions the person is replaced there, too.
GRANT UPDATE (name, document) ON oa.restore_items TO oa_service;
GRANT UPDATE (file_name) ON oa.uploads TO oa_service;
GRANT UPDATE (note) ON oa.accepted_signers TO oa_service;
GRANT UPDATE (detail) ON oa.alert_evaluations TO oa_service;
