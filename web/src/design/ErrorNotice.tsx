// An error in people's words, what to do about it, and what support needs: code and trace id.
import { Alert, AlertActionLink } from '@patternfly/react-core';
import { asProblem } from '../api/problem';
import { wordsFor } from '../api/problem_words';
import { duration } from './format';

interface Props {
  error: unknown;
  /** What was tried, as the beginning of the title: "The archive could not be deleted". */
  doing?: string;
  /** The job that failed: the service's log names it. */
  jobId?: string;
  onRetry?: () => void;
}

export function ErrorNotice({ error, doing, jobId, onRetry }: Props) {
  if (!error) return null;
  const problem = asProblem(error);
  const { what, todo, detail, ours } = wordsFor(problem.code, problem.status);
  return (
    <Alert
      variant="danger"
      isInline
      isLiveRegion
      component="p"
      className="oa-error"
      title={doing ? `${doing}: ${what.charAt(0).toLowerCase()}${what.slice(1)}` : what}
      actionLinks={onRetry && <AlertActionLink onClick={onRetry}>Try again</AlertActionLink>}
    >
      {detail && problem.detail && <p>{sentence(problem.detail)}</p>}
      <p>
        {problem.hint && !ours ? sentence(problem.hint) : todo}
        {problem.retryAfterSeconds !== null && ` (${duration(problem.retryAfterSeconds)})`}
      </p>
      <p className="oa-small">
        <code>{problem.code}</code>
        {problem.traceId && (
          <>
            {' '}
            · trace <code>{problem.traceId}</code>
          </>
        )}
        {jobId && (
          <>
            {' '}
            · job <code>{jobId}</code>
          </>
        )}
      </p>
    </Alert>
  );
}

export function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
