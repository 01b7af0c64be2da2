import { Button, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core';
import { useNavigate } from 'react-router-dom';
import { PageFrame } from './PageFrame';

export function NotFoundPage() {
  const navigate = useNavigate();
  return (
    <PageFrame title="Not found">
      <EmptyState titleText="There is no such page" headingLevel="h2">
        <EmptyStateBody>The address is wrong, or it leads to something that is not yours to see.</EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button onClick={() => navigate('/workspaces')}>Go to the workspaces</Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    </PageFrame>
  );
}
