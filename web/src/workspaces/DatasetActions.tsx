import { Button } from '@patternfly/react-core';
import { useQueryClient, type QueryKey } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { useBegun } from '../api/active_jobs';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import type { Job } from '../api/jobs';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import type { Dataset } from './DatasetList';

interface Props {
  dataset: Dataset;
  editable: boolean;
  job: Job | undefined; // a refresh that is under way
  listKey: QueryKey;
}

export function DatasetActions({ dataset, editable, job, listKey }: Props) {
  const client = useQueryClient();
  const begun = useBegun();
  const [followed, setFollowed] = useState<Job | null>(null);
  const path = { dataset_id: dataset.id };
  const reload = useCallback(() => void client.invalidateQueries({ queryKey: listKey }), [client, listKey]);
  const refresh = useAction(
    (_input: null, header) => answer(api.POST('/v1/datasets/{dataset_id}/refresh', { params: { path, header } })),
    (started) => {
      begun(started);
      setFollowed(started);
      reload();
    },
  );
  const pause = useAction(() => answer(api.POST('/v1/datasets/{dataset_id}/pause', { params: { path } })), reload);
  const resume = useAction(() => answer(api.POST('/v1/datasets/{dataset_id}/resume', { params: { path } })), reload);
  const shown = job ?? followed;
  const paused = dataset.state === 'paused';
  const refreshing = refresh.isPending || job !== undefined || dataset.state === 'refreshing';
  return (
    <div>
      {editable && (
        <div className="oa-row">
          {!paused && (
            <Button
              variant="secondary"
              size="sm"
              isDisabled={refreshing}
              onClick={() => refresh.mutate(null)}
              aria-label={`Refresh ${dataset.name}`}
            >
              Refresh
            </Button>
          )}
          {!paused && (
            <Button
              variant="link"
              size="sm"
              isDisabled={pause.isPending || refreshing}
              onClick={() => pause.mutate(undefined)}
              aria-label={`Pause ${dataset.name}`}
            >
              Pause
            </Button>
          )}
          {paused && (
            <Button
              variant="secondary"
              size="sm"
              isDisabled={resume.isPending}
              onClick={() => resume.mutate(undefined)}
              aria-label={`Resume ${dataset.name}`}
            >
              Resume
            </Button>
          )}
        </div>
      )}
      {shown && (
        <JobOutcome
          key={shown.id}
          jobId={shown.id}
          title={`Refreshing ${dataset.name}`}
          first={shown}
          onDone={reload}
        />
      )}
      <ErrorNotice error={refresh.error ?? pause.error ?? resume.error} />
    </div>
  );
}
