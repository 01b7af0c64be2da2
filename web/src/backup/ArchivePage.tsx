import {
  Card,
  CardBody,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { useActiveJobs } from '../api/active_jobs';
import { textOf } from '../api/jobs';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { bytes, moment } from '../design/format';
import { useWorkspaces } from '../workspaces/workspace';
import { ArchiveActions } from './ArchiveActions';
import { Signer } from './Signer';
import { VerifiedLabel } from './VerifiedLabel';
import { contentsText, useArchive, useReloadArchives, whoMade, type Archive } from './archive';

export function ArchivePage() {
  const { archiveId = '' } = useParams();
  const navigate = useNavigate();
  const archive = useArchive(archiveId);
  const reload = useReloadArchives();
  const jobs = useActiveJobs(['archive.verify']).filter((job) => textOf(job.subject, 'archive_id') === archiveId);
  return (
    <PageFrame
      title={archive.data?.name ?? 'Archive'}
      crumbs={[{ text: 'Backup', to: '/settings/backup' }]}
      actions={
        archive.data && (
          <ArchiveActions archive={archive.data} onDeleted={() => navigate('/settings/backup', { replace: true })} />
        )
      }
    >
      <div className="oa-stack">
        <ErrorNotice error={archive.error} onRetry={() => void archive.refetch()} />
        {!archive.data && !archive.error && <Loading what="the archive" />}
        {jobs.map((job) => (
          <JobOutcome key={job.id} jobId={job.id} first={job} onDone={reload} />
        ))}
        {archive.data && (
          <Card>
            <CardBody>
              <ArchiveFacts archive={archive.data} />
            </CardBody>
          </Card>
        )}
      </div>
    </PageFrame>
  );
}

export function ArchiveFacts({ archive }: { archive: Archive }) {
  const names = new Map(useWorkspaces().data?.map(({ id, name }) => [id, name]));
  const facts: [string, ReactNode][] = [
    ['As of', moment(archive.snapshot_time)],
    ['By', `${whoMade(archive)}, ${moment(archive.created_at)}`],
    ['Workspaces', archive.workspace_ids ? archive.workspace_ids.map((id) => names.get(id) ?? id).join(', ') : 'all'],
    ['Contents', contentsText(archive)],
    ['Rows', archive.rows ? 'of imported datasets' : 'none: restored datasets have to be refreshed'],
    ['Audit log', archive.audit ? 'yes' : 'no'],
    ['Size', bytes(archive.size_bytes)],
    ['Signer', <Signer key="signer" archive={archive} whole />],
    ['Verified', <VerifiedLabel key="verified" verification={archive.verification} />],
    [
      'Content hash',
      <span key="hash" className="oa-hash">
        {archive.content_hash}
      </span>,
    ],
  ];
  if (archive.expires_at) facts.push(['Kept until', moment(archive.expires_at)]);
  return (
    <DescriptionList isHorizontal>
      {facts.map(([term, description]) => (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription>{description}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}
