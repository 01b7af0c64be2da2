import {
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  EmptyState,
  EmptyStateBody,
  Label,
} from '@patternfly/react-core';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router-dom';
import { useMe } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { RecordTable } from '../design/RecordTable';
import { moment } from '../design/format';
import { CancelErasureDialog } from './CancelErasureDialog';
import { CertificateButton } from './CertificateButton';
import { erasurePath, useErasures, type Erasure } from './privacy';

export function ErasuresCard() {
  const me = useMe();
  const navigate = useNavigate();
  const list = useErasures();
  const [cancelling, setCancelling] = useState<Erasure | null>(null);
  return (
    <Card>
      <CardHeader
        className="oa-card-header"
        actions={{
          actions: (
            <Button variant="secondary" onClick={() => navigate('/settings/privacy/erase')}>
              Erase a person…
            </Button>
          ),
          hasNoOffset: true,
        }}
      >
        <CardTitle component="h2">Erasures</CardTitle>
      </CardHeader>
      <CardBody className="oa-stack">
        <p>
          Who is erased cannot sign in any more, and nothing of them is left but what they made for {me.tenant.name}.
          They stay erased, also when an older archive or moment is restored.
        </p>
        <ErrorNotice error={list.error} doing="The erasures cannot be shown" onRetry={() => void list.refetch()} />
        {!list.rows && !list.error && <Loading what="the erasures" lines={2} />}
        {list.rows?.length === 0 && (
          <EmptyState variant="sm" titleText="Nobody was erased" headingLevel="h3">
            <EmptyStateBody>You see what would happen before anything does.</EmptyStateBody>
          </EmptyState>
        )}
        {!!list.rows?.length && (
          <RecordTable
            label="Erasures"
            rows={list.rows}
            keyOf={(erasure) => erasure.id}
            more={list.more}
            columns={[
              {
                title: 'Who',
                cell: (erasure) => <Link to={erasurePath(erasure.id)}>{erasure.user.name}</Link>,
              },
              { title: 'State', cell: (erasure) => <ErasureState erasure={erasure} /> },
              {
                title: 'Asked for',
                short: true,
                cell: (erasure) => (
                  <>
                    {moment(erasure.requested_at)}
                    <div className="oa-small">by {erasure.requested_by?.name ?? 'the operator'}</div>
                  </>
                ),
              },
              {
                title: 'Actions',
                actions: true,
                cell: (erasure) => (
                  <>
                    {erasure.state === 'done' && <CertificateButton erasure={erasure} />}
                    {erasure.state === 'scheduled' && (
                      <Button
                        variant="secondary"
                        size="sm"
                        aria-label={`Cancel the erasure of ${erasure.user.name}`}
                        onClick={() => setCancelling(erasure)}
                      >
                        Cancel…
                      </Button>
                    )}
                  </>
                ),
              },
            ]}
          />
        )}
      </CardBody>
      {cancelling && <CancelErasureDialog erasure={cancelling} onClose={() => setCancelling(null)} />}
    </Card>
  );
}

export function ErasureState({ erasure }: { erasure: Erasure }) {
  if (erasure.state === 'done')
    return (
      <Label isCompact status="success">
        Erased {erasure.erased_at && moment(erasure.erased_at)}
      </Label>
    );
  if (erasure.state === 'cancelled') return <Label isCompact>Cancelled</Label>;
  return (
    <Label isCompact status="warning">
      Waits until {moment(erasure.execute_at)}
    </Label>
  );
}
