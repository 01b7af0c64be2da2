// The plan: how much it writes, what to know before, each asset, and the one button that does it.
import { Alert, Button, Card, CardBody, List, ListItem } from '@patternfly/react-core';
import { useMe } from '../api/me';
import { wordsFor } from '../api/problem_words';
import { sentence } from '../design/ErrorNotice';
import { moment } from '../design/format';
import { ItemTable } from './ItemTable';
import { LeaveOutBlocked } from './LeaveOutBlocked';
import { assets, countOf, writesOf, writtenText, type Restore } from './words';

interface Props {
  restore: Restore;
  busy: boolean;
  onApprove: () => void;
}

export function PlanView({ restore, busy, onApprove }: Props) {
  const me = useMe();
  const writes = writesOf(restore);
  const overwritten = countOf(restore, 'overwrite') + countOf(restore, 'remove');
  const { applicable } = restore;
  const undo = restore.kind === 'undo';
  return (
    <>
      {!applicable.ok && <Refused restore={restore} />}
      {restore.last_failure && (
        <Alert
          variant="warning"
          isInline
          component="h2"
          title="The last attempt to apply it failed; nothing was changed"
        >
          {wordsFor(restore.last_failure, 0).what} <code>{restore.last_failure}</code>
        </Alert>
      )}
      {restore.credentials_to_enter.length > 0 && (
        <Alert variant="info" isInline component="h2" title="Credentials are never in an archive">
          Enter these again afterwards: {restore.credentials_to_enter.join(', ')}.
        </Alert>
      )}
      {restore.notes.length > 0 && (
        <Alert variant="info" isInline component="h2" title="To know">
          <List isPlain>
            {restore.notes.map((note) => (
              <ListItem key={note}>{note}</ListItem>
            ))}
          </List>
        </Alert>
      )}
      <Card>
        <CardBody>
          <ItemTable restore={restore} />
        </CardBody>
      </Card>
      <div className="oa-bar" role="region" aria-label="Approve">
        <div>
          <strong>
            {writes === 0 ? 'Nothing would change.' : `Then in ${me.tenant.name}: ${writtenText(restore)}.`}
          </strong>
          {writes > 0 && (
            <div className="oa-small">
              {overwritten > 0 && !undo
                ? 'What is overwritten is kept, so that you can take this back for 30 days.'
                : 'It is done completely or not at all, and can be taken back.'}
            </div>
          )}
        </div>
        <Button isDisabled={busy || !applicable.ok || writes === 0} isLoading={busy} onClick={onApprove}>
          {undo ? `Take it back in ${me.tenant.name}` : `Restore ${assets(writes)} in ${me.tenant.name}`}
        </Button>
      </div>
      <p className="oa-small">
        Planned {moment(restore.created_at)}. What you approve has the hash{' '}
        <span className="oa-hash">{restore.plan_hash}</span>; if anything changes before, it is refused.
      </p>
    </>
  );
}

function Refused({ restore }: { restore: Restore }) {
  const { code = '', detail, hint } = restore.applicable;
  const words = wordsFor(code, 0);
  return (
    <Alert variant="danger" isInline component="h2" title="This plan cannot be applied as it is">
      <p>{sentence(detail ?? words.what)}</p>
      {hint && <p>{sentence(hint)}</p>}
      <p className="oa-small">
        <code>{code}</code>
      </p>
      <LeaveOutBlocked restore={restore} />
    </Alert>
  );
}
