import {
  Button,
  Card,
  CardBody,
  CardTitle,
  EmptyState,
  EmptyStateBody,
  Label,
  type LabelProps,
} from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useAction } from '../api/action';
import { answer, api, type Schema } from '../api/client';
import { useMe } from '../api/me';
import { ConfirmDialog } from '../design/ConfirmDialog';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { RecordTable, type Column } from '../design/RecordTable';
import { grouped, moment } from '../design/format';
import { AcceptSignerDialog } from './AcceptSignerDialog';

type Key = Schema['Key'];

const states: Record<Key['state'], { text: string; status: LabelProps['status'] }> = {
  signs: { text: 'Signs new archives', status: 'success' },
  retired: { text: 'Retired, still trusted', status: 'info' },
  revoked: { text: 'Revoked', status: 'danger' },
  accepted: { text: 'Accepted', status: 'success' },
  accepted_revoked: { text: 'Not accepted any more', status: 'danger' },
};
const revocable = (key: Key) => key.state === 'retired' || key.state === 'accepted';
const isOwn = (key: Key) => ['signs', 'retired', 'revoked'].includes(key.state);

export function KeysPage() {
  const me = useMe();
  const client = useQueryClient();
  const [dialog, setDialog] = useState<'rotate' | 'accept' | Key | null>(null);
  const keys = useQuery({ queryKey: ['keys'], queryFn: async () => (await answer(api.GET('/v1/keys'))).data });
  const done = () => {
    setDialog(null);
    void client.invalidateQueries({ queryKey: ['keys'] });
  };
  const rotate = useAction((_input: null, header) => answer(api.POST('/v1/keys/rotate', { params: { header } })), done);
  const revoke = useAction(
    (fingerprint: string) => api.DELETE('/v1/keys/{fingerprint}', { params: { path: { fingerprint } } }),
    done,
  );
  const columns: Column<Key>[] = [
    {
      title: 'Fingerprint',
      cell: (key) => (
        <>
          <span className="oa-hash">{grouped(key.fingerprint)}</span>
          {key.note && <div className="oa-small">{key.note}</div>}
        </>
      ),
    },
    {
      title: 'State',
      cell: (key) => (
        <Label isCompact status={states[key.state].status}>
          {states[key.state].text}
        </Label>
      ),
    },
    { title: 'Since', short: true, cell: (key) => moment(key.created_at) },
    {
      title: 'Actions',
      actions: true,
      cell: (key) => (
        <div className="oa-row">
          <Button
            component="a"
            variant="link"
            size="sm"
            href={`/v1/keys/${key.fingerprint}/public-key`}
            download={`${key.key_id}.pub`}
            aria-label={`Download public key ${key.key_id}`}
          >
            Public key
          </Button>
          {revocable(key) && (
            <Button
              variant="link"
              size="sm"
              isDanger
              onClick={() => setDialog(key)}
              aria-label={`Revoke ${key.key_id}`}
            >
              Revoke…
            </Button>
          )}
        </div>
      ),
    },
  ];
  const own = keys.data?.filter(isOwn) ?? [];
  const accepted = keys.data?.filter((key) => !isOwn(key)) ?? [];
  return (
    <PageFrame title="Keys" about="Archives are signed, so that nobody can change one unnoticed.">
      <div className="oa-stack">
        <ErrorNotice error={keys.error} onRetry={() => void keys.refetch()} />
        {!keys.data && !keys.error && <Loading what="the keys" />}
        {keys.data && (
          <>
            <Card>
              <CardTitle component="h2">Keys of {me.tenant.name}</CardTitle>
              <CardBody className="oa-stack">
                <RecordTable label="Own keys" rows={own} keyOf={(key) => key.fingerprint} columns={columns} />
                <div>
                  <Button variant="secondary" onClick={() => setDialog('rotate')}>
                    Rotate the key…
                  </Button>
                </div>
              </CardBody>
            </Card>
            <Card>
              <CardTitle component="h2">Accepted signers</CardTitle>
              <CardBody className="oa-stack">
                {accepted.length === 0 ? (
                  <EmptyState variant="sm" titleText="None" headingLevel="h3">
                    <EmptyStateBody>
                      Only archives of your own organisation can be restored. Accept another signer to restore theirs.
                    </EmptyStateBody>
                  </EmptyState>
                ) : (
                  <RecordTable
                    label="Accepted signers"
                    rows={accepted}
                    keyOf={(key) => key.fingerprint}
                    columns={columns}
                  />
                )}
                <div>
                  <Button variant="secondary" onClick={() => setDialog('accept')}>
                    Accept a signer…
                  </Button>
                </div>
              </CardBody>
            </Card>
          </>
        )}
      </div>
      {dialog === 'accept' && <AcceptSignerDialog onDone={done} onClose={() => setDialog(null)} />}
      {dialog === 'rotate' && (
        <ConfirmDialog
          title={`Rotate the signing key of ${me.tenant.name}?`}
          confirm="Rotate the key"
          busy={rotate.isPending}
          error={rotate.error}
          onConfirm={() => rotate.mutate(null)}
          onClose={() => setDialog(null)}
        >
          From now on a new key signs. Archives that the present one signed stay trusted here. Whoever accepts your
          archives elsewhere has to accept the new fingerprint.
        </ConfirmDialog>
      )}
      {dialog !== null && typeof dialog === 'object' && (
        <ConfirmDialog
          title="Trust this key no more?"
          confirm="Revoke key"
          dangerous
          busy={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate(dialog.fingerprint)}
          onClose={() => setDialog(null)}
        >
          <p>Archives that it signed cannot be restored in {me.tenant.name} any more:</p>
          <p className="oa-hash">{grouped(dialog.fingerprint)}</p>
        </ConfirmDialog>
      )}
    </PageFrame>
  );
}
