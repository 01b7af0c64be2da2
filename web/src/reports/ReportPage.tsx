import {
  Button,
  EmptyState,
  EmptyStateBody,
  FormSelect,
  FormSelectOption,
  Label,
  LabelGroup,
} from '@patternfly/react-core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router-dom';
import { answer, api } from '../api/client';
import { useMe } from '../api/me';
import { asProblem } from '../api/problem';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { mayEdit, useWorkspaces } from '../workspaces/workspace';
import { DeleteReportDialog } from './DeleteReportDialog';
import { VisualCard } from './VisualCard';
import { filterText } from './filters';
import { placesOf } from './layout';

export function ReportPage() {
  const { reportId = '' } = useParams();
  const [parameters, setParameters] = useSearchParams();
  const navigate = useNavigate();
  const me = useMe();
  const [deleting, setDeleting] = useState(false);
  const bookmarkId = parameters.get('bookmark');
  const report = useQuery({
    queryKey: ['reports', reportId],
    queryFn: () => answer(api.GET('/v1/reports/{report_id}', { params: { path: { report_id: reportId } } })),
  });
  const opened = useQuery({
    queryKey: ['reports', reportId, 'data', bookmarkId],
    queryFn: () =>
      answer(
        api.GET('/v1/reports/{report_id}/data', {
          params: { path: { report_id: reportId }, query: bookmarkId ? { bookmark_id: bookmarkId } : {} },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const workspaces = useWorkspaces();
  const workspace = workspaces.data?.find(({ id }) => id === report.data?.workspace_id);
  const crumbs = [{ text: 'Workspaces', to: '/workspaces' }];
  if (workspace) crumbs.push({ text: workspace.name, to: `/workspaces/${workspace.id}` });
  const bookmark = report.data?.bookmarks.find(({ id }) => id === bookmarkId);
  const filters = bookmark?.filters ?? report.data?.filters ?? [];
  const places = placesOf(
    opened.data?.layout ?? {},
    (opened.data?.visuals ?? []).map(({ id }) => id),
  );
  const title = report.data?.name ?? opened.data?.name ?? 'Report';
  const actions = report.data && (
    <>
      {report.data.bookmarks.length > 0 && (
        <FormSelect
          aria-label="Bookmark"
          value={bookmarkId ?? ''}
          onChange={(_event, value) => setParameters(value ? { bookmark: value } : {})}
        >
          <FormSelectOption value="" label="No bookmark" />
          {report.data.bookmarks.map(({ id, name }) => (
            <FormSelectOption key={id} value={id} label={name} />
          ))}
        </FormSelect>
      )}
      {mayEdit(report.data.role) && (
        <Button variant="secondary" isDanger onClick={() => setDeleting(true)}>
          Delete…
        </Button>
      )}
    </>
  );
  return (
    <PageFrame title={title} crumbs={crumbs} actions={actions}>
      <div className="oa-stack">
        {filters.length > 0 && (
          <LabelGroup categoryName={bookmark ? `Filters of “${bookmark.name}”` : 'Filters'} numLabels={8}>
            {filters.map((filter, index) => (
              <Label key={index} variant="outline">
                {filterText(filter)}
              </Label>
            ))}
          </LabelGroup>
        )}
        <ErrorNotice
          error={report.error ?? opened.error}
          onRetry={() => {
            void report.refetch();
            void opened.refetch();
          }}
        />
        {me.may_back_up && asProblem(report.error).status === 404 && (
          <p>
            Was it deleted? <Link to="/settings/backup">Bring it back from an archive</Link>
            {me.owner && (
              <>
                {' '}
                or{' '}
                <Link to={`/settings/backup/moment?about=${encodeURIComponent(reportId)}`}>
                  from the moment before it was deleted
                </Link>
              </>
            )}
            .
          </p>
        )}
        {!opened.data && !opened.error && <Loading what="the numbers of the report" lines={8} />}
        {opened.data?.visuals.length === 0 && (
          <EmptyState titleText="This report is empty" headingLevel="h2">
            <EmptyStateBody>Nobody has put a visual into it yet.</EmptyStateBody>
          </EmptyState>
        )}
        {!!opened.data?.visuals.length && (
          <div className="oa-report" aria-busy={opened.isPlaceholderData}>
            {opened.data.visuals.map((visual) => (
              <VisualCard key={visual.id} visual={visual} place={places.get(visual.id) ?? {}} />
            ))}
          </div>
        )}
      </div>
      {deleting && report.data && (
        <DeleteReportDialog
          report={report.data}
          onClose={() => setDeleting(false)}
          onDeleted={() => navigate(`/workspaces/${report.data.workspace_id}`)}
        />
      )}
    </PageFrame>
  );
}
