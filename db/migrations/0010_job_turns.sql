-- People take turns within their tenant's jobs, and a job that was taken but cannot be read is put back.
GRANT SELECT (created_by), UPDATE (run_after) ON oa.jobs TO oa_operator;
CREATE INDEX jobs_person_taken ON oa.jobs (tenant_id, created_by, taken_at);
