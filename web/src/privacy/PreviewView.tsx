// What erasing a person would do.
import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { Link } from 'react-router-dom';
import { useMe } from '../api/me';
import { RecordTable } from '../design/RecordTable';
import { counted, moment } from '../design/format';
import { Effects } from './Effects';
import { PersonMarks } from './PersonSearch';
import type { Preview } from './privacy';
import { assetsText } from './words';

export function PreviewView({ preview }: { preview: Preview }) {
  const { user, effects, archives } = preview;
  const assets = assetsText(preview.assets);
  const events = effects['audit_events'] ?? 0;
  return (
    <>
      <Card>
        <CardTitle component="h2">
          <span className="oa-row oa-wrap">
            What goes of {user.name}
            <PersonMarks person={user} />
          </span>
        </CardTitle>
        <CardBody className="oa-stack">
          {!user.erased && <p>{user.email}</p>}
          <Effects values={effects} />
        </CardBody>
      </Card>
      <Card>
        <CardTitle component="h2">What stays, by “Erased user”</CardTitle>
        <CardBody>
          <ul className="oa-list">
            <li>{assets ? `What they made: ${assets}.` : 'They made nothing that is still here.'}</li>
            <li>
              {events > 0
                ? `${counted(events, 'entry of the audit log loses', 'entries of the audit log lose')} name, addresses and whatever else tells of them. The chain can still be checked.`
                : 'No entry of the audit log tells of them.'}
            </li>
          </ul>
        </CardBody>
      </Card>
      <Card>
        <CardTitle component="h2">Archives that hold them</CardTitle>
        <CardBody className="oa-stack">
          {archives.length === 0 && <p>None that is stored here.</p>}
          {archives.length > 0 && <ArchivesThatHold preview={preview} />}
        </CardBody>
      </Card>
    </>
  );
}

function ArchivesThatHold({ preview }: { preview: Preview }) {
  const me = useMe();
  const rewritten = preview.archive_policy === 'rewrite';
  return (
    <>
      <p>
        {rewritten
          ? 'These are written anew without the person.'
          : 'These stay as they are. Whoever restores from them gets “Erased user” back, never the person.'}{' '}
        <Link to="/settings/privacy">How {me.tenant.name} wants it</Link> can be changed.
      </p>
      <RecordTable
        label="Archives that hold them"
        rows={preview.archives}
        keyOf={(archive) => archive.id}
        columns={[
          {
            title: 'Archive',
            cell: (archive) => <Link to={`/settings/backup/archives/${archive.id}`}>{archive.name}</Link>,
          },
          { title: 'As of', short: true, cell: (archive) => moment(archive.snapshot_time) },
          {
            title: 'Kept until',
            short: true,
            cell: (archive) => (archive.expires_at ? moment(archive.expires_at) : 'somebody deletes it'),
          },
        ]}
      />
    </>
  );
}
