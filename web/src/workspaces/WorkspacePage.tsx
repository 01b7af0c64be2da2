import { Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import { useNavigate, useParams } from 'react-router-dom';
import { ErrorNotice } from '../design/ErrorNotice';
import { NotFoundPage } from '../design/NotFoundPage';
import { PageFrame } from '../design/PageFrame';
import { DatasetList } from './DatasetList';
import { ReportList } from './ReportList';
import { mayEdit, useWorkspaces } from './workspace';

export function WorkspacePage() {
  const { workspaceId = '', tab = 'reports' } = useParams();
  const navigate = useNavigate();
  const workspaces = useWorkspaces();
  const workspace = workspaces.data?.find(({ id }) => id === workspaceId);
  if ((workspaces.data && !workspace) || !['reports', 'datasets'].includes(tab)) return <NotFoundPage />;
  return (
    <PageFrame title={workspace?.name ?? 'Workspace'} crumbs={[{ text: 'Workspaces', to: '/workspaces' }]}>
      <ErrorNotice error={workspaces.error} onRetry={() => void workspaces.refetch()} />
      <Tabs
        activeKey={tab}
        onSelect={(_event, key) => navigate(`/workspaces/${workspaceId}${key === 'reports' ? '' : `/${key}`}`)}
        aria-label="What the workspace has"
        mountOnEnter
        unmountOnExit
      >
        <Tab eventKey="reports" title={<TabTitleText>Reports</TabTitleText>}>
          <ReportList workspaceId={workspaceId} editable={mayEdit(workspace?.role)} />
        </Tab>
        <Tab eventKey="datasets" title={<TabTitleText>Datasets</TabTitleText>}>
          <DatasetList workspaceId={workspaceId} editable={mayEdit(workspace?.role)} />
        </Tab>
      </Tabs>
    </PageFrame>
  );
}
