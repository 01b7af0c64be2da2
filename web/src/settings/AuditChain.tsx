import { Alert, Button, Card, CardBody } from '@patternfly/react-core';
import { useState } from 'react';
import { useActiveJobs, useBegun } from '../api/active_jobs';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import type { Job } from '../api/jobs';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import { counted, moment } from '../design/format';

export function AuditChain() {
  const begun = useBegun();
  const [started, setStarted] = useState<Job | null>(null);
  const running = useActiveJobs(['audit.verify'])[0];
  const verify = useAction(
    (_input: null, header) => answer(api.POST('/v1/audit/verify', { params: { header } })),
    (job) => {
      begun(job);
      setStarted(job);
    },
  );
  const job = started ?? running;
  return (
    <Card isCompact>
      <CardBody className="oa-stack">
        <div className="oa-row">
          <Button
            variant="secondary"
            isDisabled={verify.isPending || running !== undefined}
            onClick={() => verify.mutate(null)}
          >
            Check the whole chain
          </Button>
          <span className="oa-small">Every hash is computed again, from the first entry.</span>
        </div>
        {job && (
          <JobOutcome key={job.id} jobId={job.id} first={job}>
            {(finished) => <Outcome job={finished} />}
          </JobOutcome>
        )}
        <ErrorNotice error={verify.error} />
      </CardBody>
    </Card>
  );
}

function Outcome({ job }: { job: Job }) {
  const { valid, events, detail } = (job.result ?? {}) as { valid?: boolean; events?: number; detail?: string };
  const at = job.finished_at ? ` (${moment(job.finished_at)})` : '';
  if (valid)
    return (
      <Alert
        variant="success"
        isInline
        isLiveRegion
        component="h2"
        title={`The chain is whole: ${counted(events ?? 0, 'entry', 'entries')}${at}`}
      />
    );
  return (
    <Alert
      variant="danger"
      isInline
      isLiveRegion
      component="h2"
      title={`The chain is broken after ${counted(events ?? 0, 'good entry', 'good entries')}${at}`}
    >
      {detail && <p>{detail}</p>}
      An entry was changed or removed outside of this service. Keep everything as it is and tell whoever runs the
      service.
    </Alert>
  );
}
