import { Button, EmptyState, EmptyStateBody } from '@patternfly/react-core';
import { ChartBarIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { answer, api, type Schema } from '../api/client';
import { useList } from '../api/lists';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { RecordTable, type Column } from '../design/RecordTable';
import { ago, count } from '../design/format';
import { DeleteReportDialog } from '../reports/DeleteReportDialog';

type Report = Schema['ReportSummary'];

export function ReportList({ workspaceId, editable }: { workspaceId: string; editable: boolean }) {
  const [deleting, setDeleting] = useState<Report | null>(null);
  const list = useList<Report>(['workspaces', workspaceId, 'reports'], (query) =>
    answer(
      api.GET('/v1/workspaces/{workspace_id}/reports', { params: { path: { workspace_id: workspaceId }, query } }),
    ),
  );
  if (!list.rows)
    return list.error ? (
      <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
    ) : (
      <Loading what="the reports" />
    );
  if (list.rows.length === 0) {
    return (
      <EmptyState icon={ChartBarIcon} titleText="No reports" headingLevel="h2">
        <EmptyStateBody>
          This workspace has no report. One that was deleted can be brought back from an archive in Settings → Backup.
        </EmptyStateBody>
      </EmptyState>
    );
  }
  const columns: Column<Report>[] = [
    { title: 'Name', cell: (report) => <Link to={`/reports/${report.id}`}>{report.name}</Link> },
    { title: 'Visuals', cell: (report) => count(report.visuals), numeric: true },
    { title: 'Bookmarks', cell: (report) => count(report.bookmarks), numeric: true },
    { title: 'By', cell: (report) => report.created_by?.name ?? 'the service' },
    {
      title: 'Changed',
      short: true,
      cell: (report) => <time dateTime={report.updated_at}>{ago(report.updated_at)}</time>,
    },
  ];
  if (editable) {
    columns.push({
      title: 'Actions',
      actions: true,
      cell: (report) => (
        <Button variant="link" isDanger onClick={() => setDeleting(report)} aria-label={`Delete ${report.name}`}>
          Delete
        </Button>
      ),
    });
  }
  return (
    <>
      <RecordTable
        label="Reports"
        rows={[...list.rows].sort((a, b) => a.name.localeCompare(b.name))}
        keyOf={(report) => report.id}
        columns={columns}
        more={list.more}
      />
      {deleting && <DeleteReportDialog report={deleting} onClose={() => setDeleting(null)} />}
    </>
  );
}
