import { Label } from '@patternfly/react-core';
import { wordsFor } from '../api/problem_words';
import { ago } from '../design/format';
import type { Archive } from './archive';

export function VerifiedLabel({ verification }: { verification: Archive['verification'] }) {
  const { state, at, code } = verification;
  if (state === 'verified') {
    return (
      <>
        <Label isCompact status="success">
          Verified
        </Label>
        {at && <div className="oa-small">{ago(at)}</div>}
      </>
    );
  }
  if (state === 'never')
    return (
      <Label isCompact status="info">
        Not verified yet
      </Label>
    );
  return (
    <>
      <Label isCompact status="danger">
        Refused
      </Label>
      {code && (
        <div className="oa-small">
          {wordsFor(code, 0).what} <code>{code}</code>
        </div>
      )}
    </>
  );
}
