import { Alert, Button, Card, CardBody } from '@patternfly/react-core';
import { useCallback, useState } from 'react';
import { Link, useNavigate } from 'react-router-dom';
import { useActiveJobs, useBegun, useRemembered } from '../api/active_jobs';
import { textOf, type Job } from '../api/jobs';
import { useMe } from '../api/me';
import { JobOutcome } from '../design/JobOutcome';
import { PageFrame } from '../design/PageFrame';
import { doneTitleOf } from '../design/job_words';
import { ArchiveList } from './ArchiveList';
import { ContinuityCard } from './ContinuityCard';
import { CreateArchiveDialog } from './CreateArchiveDialog';
import { DrillsCard } from './DrillsCard';
import { ScheduleCard } from './ScheduleCard';
import { UnfinishedUploads } from './UnfinishedUploads';
import { useReloadArchives } from './archive';

export function BackupPage() {
  const me = useMe();
  const navigate = useNavigate();
  const begun = useBegun();
  const reload = useReloadArchives();
  const [creating, setCreating] = useState(false);
  const running = useRemembered(
    useActiveJobs(['archive.create', 'archive.moment', 'archive.verify', 'archive.receive']),
  );
  const onDone = useCallback(() => reload(), [reload]);
  return (
    <PageFrame
      title="Backup"
      about="Lost or spoiled something? Go back to the moment before it happened, or choose “Restore…” beside an archive from then. Nothing changes until you have seen the plan."
      actions={
        <>
          <Button onClick={() => setCreating(true)}>Create archive</Button>
          <Button variant="secondary" onClick={() => navigate('/settings/backup/upload')}>
            Restore from a file…
          </Button>
          <Button variant="secondary" onClick={() => navigate('/settings/backup/restores')}>
            History and undo
          </Button>
        </>
      }
    >
      <div className="oa-stack">
        {running.map((job) => (
          <Card key={job.id} isCompact>
            <CardBody>
              <JobOutcome jobId={job.id} first={job} onDone={onDone}>
                {(ended) => <Ended job={ended} />}
              </JobOutcome>
            </CardBody>
          </Card>
        ))}
        <ContinuityCard />
        <UnfinishedUploads />
        <ArchiveList onCreate={() => setCreating(true)} />
        {me.owner && <ScheduleCard />}
        {me.owner && <DrillsCard />}
      </div>
      {creating && (
        <CreateArchiveDialog
          onClose={() => setCreating(false)}
          onBegun={(job) => {
            begun(job);
            setCreating(false);
          }}
        />
      )}
    </PageFrame>
  );
}

function Ended({ job }: { job: Job }) {
  const archiveId = textOf(job.result, 'archive_id') ?? textOf(job.subject, 'archive_id');
  return (
    <Alert variant="success" isInline isPlain isLiveRegion component="p" title={doneTitleOf(job)}>
      {archiveId && <Link to={`/settings/backup/archives/${archiveId}`}>See the archive</Link>}
    </Alert>
  );
}
