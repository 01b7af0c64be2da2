import { Button, EmptyState, EmptyStateBody, Label, LabelGroup } from '@patternfly/react-core';
import { KeyIcon } from '@patternfly/react-icons';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useAction } from '../api/action';
import { answer, api, type Schema } from '../api/client';
import { ConfirmDialog } from '../design/ConfirmDialog';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { RecordTable } from '../design/RecordTable';
import { ago, moment } from '../design/format';
import { CreateTokenDialog } from './CreateTokenDialog';

type Token = Schema['Token'];

export function TokensPage() {
  const client = useQueryClient();
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const tokens = useQuery({ queryKey: ['tokens'], queryFn: async () => (await answer(api.GET('/v1/tokens'))).data });
  const reload = () => void client.invalidateQueries({ queryKey: ['tokens'] });
  const revoke = useAction(
    (id: string) => api.DELETE('/v1/tokens/{token_id}', { params: { path: { token_id: id } } }),
    () => {
      setRevoking(null);
      reload();
    },
  );
  return (
    <PageFrame
      title="API tokens"
      about="For programs that work in your name. A token can do what you may do, within its scopes."
      actions={<Button onClick={() => setCreating(true)}>Create token</Button>}
    >
      <ErrorNotice error={tokens.error} onRetry={() => void tokens.refetch()} />
      {!tokens.data && !tokens.error && <Loading what="the tokens" />}
      {tokens.data?.length === 0 && (
        <EmptyState icon={KeyIcon} titleText="No token" headingLevel="h2">
          <EmptyStateBody>Create one to let a script make archives or read reports for you.</EmptyStateBody>
        </EmptyState>
      )}
      {!!tokens.data?.length && (
        <RecordTable
          label="API tokens"
          rows={tokens.data}
          keyOf={(token) => token.id}
          columns={[
            { title: 'Name', cell: (token) => <strong>{token.name}</strong> },
            {
              title: 'Scopes',
              cell: (token) => (
                <LabelGroup numLabels={6}>
                  {token.scopes.map((scope) => (
                    <Label key={scope} isCompact>
                      {scope}
                    </Label>
                  ))}
                </LabelGroup>
              ),
            },
            { title: 'Made', short: true, cell: (token) => moment(token.created_at) },
            {
              title: 'Last used',
              short: true,
              cell: (token) => (token.last_used_at ? ago(token.last_used_at) : 'never'),
            },
            { title: 'State', cell: stateOf },
            {
              title: 'Actions',
              actions: true,
              cell: (token) =>
                token.revoked_at ? null : (
                  <Button
                    variant="link"
                    size="sm"
                    isDanger
                    onClick={() => setRevoking(token)}
                    aria-label={`Revoke ${token.name}`}
                  >
                    Revoke…
                  </Button>
                ),
            },
          ]}
        />
      )}
      {creating && <CreateTokenDialog onCreated={reload} onClose={() => setCreating(false)} />}
      {revoking && (
        <ConfirmDialog
          title={`Revoke “${revoking.name}”?`}
          confirm="Revoke token"
          dangerous
          busy={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate(revoking.id)}
          onClose={() => setRevoking(null)}
        >
          Programs that use it are refused from now on. This cannot be taken back; you can create another token.
        </ConfirmDialog>
      )}
    </PageFrame>
  );
}

function stateOf(token: Token): React.ReactNode {
  if (token.revoked_at)
    return (
      <Label isCompact status="danger">
        Revoked {ago(token.revoked_at)}
      </Label>
    );
  if (!token.expires_at)
    return (
      <Label isCompact status="success">
        Works, without end
      </Label>
    );
  if (new Date(token.expires_at).getTime() < Date.now())
    return (
      <Label isCompact status="warning">
        Expired
      </Label>
    );
  return (
    <Label isCompact status="success">
      Works until {moment(token.expires_at)}
    </Label>
  );
}
