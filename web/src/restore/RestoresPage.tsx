import { EmptyState, EmptyStateBody, Label } from '@patternfly/react-core';
import { HistoryIcon } from '@patternfly/react-icons';
import { Link } from 'react-router-dom';
import { answer, api } from '../api/client';
import { useList } from '../api/lists';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { RecordTable } from '../design/RecordTable';
import { moment } from '../design/format';
import { titleOf } from './RestorePage';
import { UndoButton } from './UndoButton';
import { writtenText, type Restore } from './words';

const states: Record<Restore['state'], { text: string; status: 'info' | 'success' | 'warning' }> = {
  planned: { text: 'Planned only', status: 'info' },
  applying: { text: 'Being applied', status: 'info' },
  applied: { text: 'Applied', status: 'success' },
  undone: { text: 'Taken back', status: 'warning' },
};

export function RestoresPage() {
  const list = useList<Restore>(['restores', 'list'], (query) =>
    answer(api.GET('/v1/restores', { params: { query } })),
  );
  return (
    <PageFrame title="History of restores" crumbs={[{ text: 'Backup', to: '/settings/backup' }]}>
      <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      {!list.rows && !list.error && <Loading what="the history" />}
      {list.rows?.length === 0 && (
        <EmptyState icon={HistoryIcon} titleText="Nothing was restored yet" headingLevel="h2">
          <EmptyStateBody>
            To bring something back, choose “Restore…” beside an archive. It can be taken back from here.
          </EmptyStateBody>
        </EmptyState>
      )}
      {!!list.rows?.length && (
        <RecordTable
          label="Restores"
          rows={list.rows}
          keyOf={(restore) => restore.id}
          more={list.more}
          columns={[
            {
              title: 'What',
              cell: (restore) => <Link to={`/settings/backup/restores/${restore.id}`}>{titleOf(restore)}</Link>,
            },
            { title: 'When', short: true, cell: (restore) => moment(restore.applied_at ?? restore.created_at) },
            { title: 'By', cell: (restore) => (restore.approved_by ?? restore.created_by)?.name ?? 'the operator' },
            {
              title: 'State',
              cell: (restore) => (
                <Label isCompact status={states[restore.state].status}>
                  {states[restore.state].text}
                </Label>
              ),
            },
            { title: 'Assets', cell: writtenText },
            { title: 'Actions', actions: true, cell: (restore) => <UndoButton restore={restore} compact /> },
          ]}
        />
      )}
    </PageFrame>
  );
}
