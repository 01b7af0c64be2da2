import { Button } from '@patternfly/react-core';
import { useCallback, useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { textOf, type Job } from '../api/jobs';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import { moment } from '../design/format';
import type { Restore } from './words';

/** Plans the undo and goes to that plan; nothing changes before it is approved there. */
export function UndoButton({ restore, compact = false }: { restore: Restore; compact?: boolean }) {
  const navigate = useNavigate();
  const [job, setJob] = useState<Job | null>(null);
  const undo = useAction(
    (_input: null, header) =>
      answer(
        api.POST('/v1/restores/{restore_id}/undo', { params: { path: { restore_id: restore.id }, header }, body: {} }),
      ),
    setJob,
  );
  const done = useCallback(
    (finished: Job) => {
      const id = textOf(finished.result, 'restore_id');
      if (id) navigate(`/settings/backup/restores/${id}`);
    },
    [navigate],
  );
  if (!restore.undoable) return null;
  if (job) return <JobOutcome jobId={job.id} first={job} onDone={done} onRetry={() => setJob(null)} />;
  return (
    <div className="oa-row">
      <Button
        variant="secondary"
        size={compact ? 'sm' : undefined}
        isDisabled={undo.isPending}
        isLoading={undo.isPending}
        onClick={() => undo.mutate(null)}
      >
        Undo…
      </Button>
      {!compact && restore.undo_until && (
        <span className="oa-small">possible until {moment(restore.undo_until)}; you see first what it would do</span>
      )}
      <ErrorNotice error={undo.error} doing="The undo was not planned" />
    </div>
  );
}
