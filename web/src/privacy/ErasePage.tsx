// Erasing a person: who, what would happen, then the typed confirmation. Person and job are in the address, so that a
// reload goes on.
import { Alert, Button, Card, CardBody } from '@patternfly/react-core';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router-dom';
import { useActiveJobs } from '../api/active_jobs';
import { isOver, textOf, useJob, type Job } from '../api/jobs';
import { useMe } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { EraseForm } from './EraseForm';
import { PersonSearch } from './PersonSearch';
import { PreviewView } from './PreviewView';
import { erasePath, erasurePath, usePreview, type Preview } from './privacy';

export function ErasePage() {
  const navigate = useNavigate();
  const [parameters, setParameters] = useSearchParams();
  const person = parameters.get('person');
  const found = useActiveJobs(['privacy.erase']).find((job) => person && textOf(job.subject, 'user_id') === person);
  const jobId = parameters.get('job') ?? found?.id ?? null;
  return (
    <PageFrame
      title="Erase a person"
      crumbs={[{ text: 'Privacy', to: '/settings/privacy' }]}
      about="You see what goes and what stays; nothing changes before you have confirmed it."
    >
      <div className="oa-stack">
        {jobId && person && <Erasing jobId={jobId} onRetry={() => setParameters({ person }, { replace: true })} />}
        {!jobId && person && (
          <Chosen
            key={person}
            person={person}
            onBegun={(job) => setParameters({ person, job: job.id }, { replace: true })}
          />
        )}
        {!person && (
          <Card>
            <CardBody>
              <PersonSearch
                id="erase-person"
                label="Who is to be erased"
                action={(each) =>
                  !each.erased && (
                    <Button
                      variant="secondary"
                      size="sm"
                      aria-label={`See what erasing ${each.name} would do`}
                      onClick={() => navigate(erasePath(each.id))}
                    >
                      Choose
                    </Button>
                  )
                }
              />
            </CardBody>
          </Card>
        )}
      </div>
    </PageFrame>
  );
}

function Erasing({ jobId, onRetry }: { jobId: string; onRetry: () => void }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const job = useJob(jobId).data;
  const done = useCallback(
    (ended: Job) => {
      void client.invalidateQueries(); // names are others everywhere
      const id = textOf(ended.result, 'erasure_id');
      if (id) navigate(erasurePath(id), { replace: true });
    },
    [client, navigate],
  );
  return (
    <Card>
      <CardBody className="oa-stack">
        <JobOutcome key={jobId} jobId={jobId} title="Erasing the person" onDone={done} onRetry={onRetry} />
        {!(job && isOver(job)) && <p className="oa-small">It goes on when you leave this page.</p>}
      </CardBody>
    </Card>
  );
}

function Chosen({ person, onBegun }: { person: string; onBegun: (job: Job) => void }) {
  const me = useMe();
  const preview = usePreview(person);
  const { data } = preview;
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [person]);
  return (
    <>
      <ErrorNotice error={preview.error} onRetry={() => void preview.refetch()} />
      {!data && !preview.error && <Loading what="what would happen" lines={6} />}
      {data?.user.id === me.user.id && !data.last_owner && (
        <Alert
          variant="warning"
          isInline
          component="p"
          title="This is you. You are signed out at once and cannot sign in again."
        />
      )}
      {data && <Obstacle preview={data} />}
      {data && <PreviewView preview={data} />}
      {data && !obstructed(data) && <EraseForm preview={data} onBegun={onBegun} />}
      <p>
        <Link to="/settings/privacy/erase">Choose somebody else</Link>
      </p>
    </>
  );
}

const obstructed = ({ erased, last_owner: lastOwner, pending_erasure_id: pending }: Preview) =>
  erased || lastOwner || pending !== null;

function Obstacle({ preview }: { preview: Preview }) {
  const { erased, last_owner: lastOwner, pending_erasure_id: pending } = preview;
  if (erased)
    return (
      <Alert variant="info" isInline component="p" title="This person was erased already. Nothing is left to do." />
    );
  if (pending)
    return (
      <Alert variant="info" isInline component="p" title="This person is to be erased already.">
        <Link to={erasurePath(pending)}>See when, or cancel it</Link>.
      </Alert>
    );
  if (!lastOwner) return null;
  return (
    <Alert
      variant="danger"
      isInline
      component="p"
      title="This is the last Owner who can sign in. They cannot be erased."
    >
      Let somebody else become an Owner first.
    </Alert>
  );
}
