import { EmptyState, EmptyStateBody } from '@patternfly/react-core';
import { DatabaseIcon } from '@patternfly/react-icons';
import { useActiveJobs } from '../api/active_jobs';
import { answer, api, type Schema } from '../api/client';
import { textOf } from '../api/jobs';
import { useList } from '../api/lists';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { RecordTable } from '../design/RecordTable';
import { ago, bytes, count } from '../design/format';
import { DatasetActions } from './DatasetActions';
import { DatasetState } from './DatasetState';

export type Dataset = Schema['Dataset'];

const modes: Record<Dataset['mode'], string> = {
  import: 'Imported',
  direct: 'Asked at the source',
  composite: 'Composite',
};

export function DatasetList({ workspaceId, editable }: { workspaceId: string; editable: boolean }) {
  const key = ['workspaces', workspaceId, 'datasets'];
  const jobs = useActiveJobs(['dataset.refresh']);
  const list = useList<Dataset>(
    key,
    (query) =>
      answer(
        api.GET('/v1/workspaces/{workspace_id}/datasets', { params: { path: { workspace_id: workspaceId }, query } }),
      ),
    { refetchInterval: jobs.length > 0 ? 4000 : false },
  );
  if (!list.rows)
    return list.error ? (
      <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
    ) : (
      <Loading what="the datasets" />
    );
  if (list.rows.length === 0) {
    return (
      <EmptyState icon={DatabaseIcon} titleText="No datasets" headingLevel="h2">
        <EmptyStateBody>This workspace has no dataset yet. Reports read their numbers from datasets.</EmptyStateBody>
      </EmptyState>
    );
  }
  const jobOf = (dataset: Dataset) => jobs.find((job) => textOf(job.subject, 'dataset_id') === dataset.id);
  return (
    <RecordTable
      label="Datasets"
      rows={[...list.rows].sort((a, b) => a.name.localeCompare(b.name))}
      keyOf={(dataset) => dataset.id}
      more={list.more}
      columns={[
        { title: 'Name', cell: (dataset) => <strong>{dataset.name}</strong> },
        {
          title: 'Kind',
          cell: (dataset) => (
            <>
              {modes[dataset.mode]}
              <div className="oa-small">{dataset.source_ref ? `from “${dataset.source_ref}”` : 'from a file'}</div>
            </>
          ),
        },
        { title: 'State', cell: (dataset) => <DatasetState dataset={dataset} /> },
        { title: 'Rows', cell: (dataset) => count(dataset.row_count), numeric: true },
        { title: 'Size', cell: (dataset) => bytes(dataset.size_bytes), numeric: true },
        { title: 'Refreshed', cell: (dataset) => (dataset.last_refresh_at ? ago(dataset.last_refresh_at) : 'never') },
        {
          title: 'Actions',
          actions: true,
          cell: (dataset) => (
            <DatasetActions dataset={dataset} editable={editable} job={jobOf(dataset)} listKey={key} />
          ),
        },
      ]}
    />
  );
}
