// What a restore did: links to what it brought back, and the way to take it back.
import { Alert, Card, CardBody } from '@patternfly/react-core';
import { Link } from 'react-router-dom';
import { moment } from '../design/format';
import { ItemTable } from './ItemTable';
import { UndoButton } from './UndoButton';
import { countOf, writtenText, type Restore } from './words';

export function ResultView({ restore }: { restore: Restore }) {
  const undone = restore.state === 'undone';
  const who = restore.approved_by?.name ?? 'the operator';
  return (
    <>
      <Alert
        variant={undone ? 'info' : 'success'}
        isInline
        isLiveRegion
        component="h2"
        title={
          undone
            ? 'This restore was taken back'
            : restore.kind === 'undo'
              ? `Taken back: ${writtenText(restore)}`
              : `Done: ${writtenText(restore)}`
        }
      >
        <p>
          Approved by {who}
          {restore.applied_at && `, applied ${moment(restore.applied_at)}`}.
        </p>
        {restore.undone_by && (
          <p>
            <Link to={`/settings/backup/restores/${restore.undone_by}`}>See the undo</Link>
          </p>
        )}
        {restore.undoes && (
          <p>
            <Link to={`/settings/backup/restores/${restore.undoes}`}>See the restore that it took back</Link>
          </p>
        )}
        {restore.credentials_to_enter.length > 0 && !undone && (
          <p>Enter these credentials again: {restore.credentials_to_enter.join(', ')}.</p>
        )}
        {countOf(restore, 'blocked') > 0 && (
          <p>{countOf(restore, 'blocked')} were left out because they were blocked.</p>
        )}
      </Alert>
      <UndoButton restore={restore} />
      <Card>
        <CardBody>
          <ItemTable restore={restore} done />
        </CardBody>
      </Card>
    </>
  );
}
