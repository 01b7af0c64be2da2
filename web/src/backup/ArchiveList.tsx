import { Button, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core';
import { ArchiveIcon } from '@patternfly/react-icons';
import { Link } from 'react-router-dom';
import { answer, api } from '../api/client';
import { useList } from '../api/lists';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { RecordTable } from '../design/RecordTable';
import { ago, bytes, moment } from '../design/format';
import { ArchiveActions } from './ArchiveActions';
import { Signer } from './Signer';
import { VerifiedLabel } from './VerifiedLabel';
import { archivesKey, contentsText, extrasOf, whoMade, type Archive } from './archive';

export function ArchiveList({ onCreate }: { onCreate: () => void }) {
  const list = useList<Archive>([...archivesKey, 'list'], (query) =>
    answer(api.GET('/v1/archives', { params: { query } })),
  );
  if (!list.rows)
    return list.error ? (
      <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
    ) : (
      <Loading what="the archives" />
    );
  if (list.rows.length === 0) {
    return (
      <EmptyState icon={ArchiveIcon} titleText="No archive yet" headingLevel="h2">
        <EmptyStateBody>
          An archive is a signed copy of your workspaces, reports, datasets and alerts. When something is lost, it is
          brought back from there.
        </EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button onClick={onCreate}>Create the first archive</Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    );
  }
  return (
    <RecordTable
      label="Archives"
      rows={list.rows}
      keyOf={(archive) => archive.id}
      more={list.more}
      columns={[
        {
          title: 'As of',
          short: true,
          cell: (archive) => (
            <>
              <Link to={`/settings/backup/archives/${archive.id}`}>{moment(archive.snapshot_time)}</Link>
              <div className="oa-small">
                {ago(archive.snapshot_time)}, by {whoMade(archive)}
              </div>
            </>
          ),
        },
        {
          title: 'Contents',
          cell: (archive) => (
            <>
              {contentsText(archive)}
              <div className="oa-small">{extrasOf(archive).join(', ') || 'without rows'}</div>
            </>
          ),
        },
        { title: 'Size', cell: (archive) => bytes(archive.size_bytes), numeric: true },
        { title: 'Signer', short: true, cell: (archive) => <Signer archive={archive} /> },
        { title: 'Verified', cell: (archive) => <VerifiedLabel verification={archive.verification} /> },
        { title: 'Actions', actions: true, cell: (archive) => <ArchiveActions archive={archive} /> },
      ]}
    />
  );
}
