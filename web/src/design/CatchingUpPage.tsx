// The service was restored and serves nobody until it knows again who was erased in the meantime. It is asked now and
// then, so that the page goes on by itself.
import { EmptyState, EmptyStateBody, Spinner } from '@patternfly/react-core';
import { useEffect } from 'react';
import { api, isCatchingUp } from '../api/client';
import { asProblem } from '../api/problem';

const everyMs = 3000;

export function CatchingUpPage({ onServing }: { onServing: () => void }) {
  useEffect(() => {
    document.title = 'In a moment · OneAnalytics';
    let over = false;
    let timer = 0;
    const ask = async () => {
      const waiting = await api.GET('/v1/me').then(
        () => false,
        (error: unknown) => isCatchingUp(asProblem(error)) || !asProblem(error).answered,
      );
      if (over) return;
      if (waiting) timer = window.setTimeout(() => void ask(), everyMs);
      else onServing();
    };
    timer = window.setTimeout(() => void ask(), everyMs);
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [onServing]);
  return (
    <main className="oa-alone">
      <EmptyState titleText="In a moment" headingLevel="h1" icon={Spinner}>
        <EmptyStateBody>
          <div role="status">
            The service was restored and makes sure that whoever was erased stays erased. Nobody is let in before. This
            page goes on by itself; nothing is lost.
          </div>
        </EmptyStateBody>
      </EmptyState>
    </main>
  );
}
