import { EmptyState, EmptyStateBody, Label } from '@patternfly/react-core';
import { CubesIcon } from '@patternfly/react-icons';
import { Link } from 'react-router-dom';
import { answer, api, type Schema } from '../api/client';
import { useList } from '../api/lists';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { RecordTable } from '../design/RecordTable';
import { moment, title } from '../design/format';

export function WorkspacesPage() {
  const list = useList<Schema['Workspace']>(['workspaces'], (query) =>
    answer(api.GET('/v1/workspaces', { params: { query } })),
  );
  return (
    <PageFrame title="Workspaces" about="Where your organisation keeps its reports and datasets.">
      <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      {!list.rows && !list.error && <Loading what="the workspaces" />}
      {list.rows?.length === 0 && (
        <EmptyState icon={CubesIcon} titleText="No workspace yet" headingLevel="h2">
          <EmptyStateBody>
            You are not a member of any workspace. Ask an Owner of your organisation to add you.
          </EmptyStateBody>
        </EmptyState>
      )}
      {!!list.rows?.length && (
        <RecordTable
          label="Workspaces"
          rows={[...list.rows].sort((a, b) => a.name.localeCompare(b.name))}
          keyOf={(workspace) => workspace.id}
          more={list.more}
          columns={[
            { title: 'Name', cell: (workspace) => <Link to={`/workspaces/${workspace.id}`}>{workspace.name}</Link> },
            { title: 'Your role', cell: (workspace) => <Label isCompact>{title(workspace.role)}</Label> },
            { title: 'Made', cell: (workspace) => moment(workspace.created_at) },
          ]}
        />
      )}
    </PageFrame>
  );
}
