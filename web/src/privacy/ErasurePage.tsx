// One erasure: that it waits, was cancelled, or what it did.
import { Alert, Button, Card, CardBody, CardTitle } from '@patternfly/react-core';
import { useState } from 'react';
import { Link, useParams } from 'react-router-dom';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { counted, moment } from '../design/format';
import { CancelErasureDialog } from './CancelErasureDialog';
import { CertificateButton } from './CertificateButton';
import { Effects } from './Effects';
import { erasePath, useErasure, type Erasure } from './privacy';

export function ErasurePage() {
  const { erasureId = '' } = useParams();
  const erasure = useErasure(erasureId);
  return (
    <PageFrame title="Erasure" crumbs={[{ text: 'Privacy', to: '/settings/privacy' }]}>
      <div className="oa-stack">
        <ErrorNotice error={erasure.error} onRetry={() => void erasure.refetch()} />
        {!erasure.data && !erasure.error && <Loading what="the erasure" />}
        {erasure.data?.state === 'scheduled' && <Waiting erasure={erasure.data} />}
        {erasure.data?.state === 'cancelled' && <Cancelled erasure={erasure.data} />}
        {erasure.data?.state === 'done' && <Done erasure={erasure.data} />}
      </div>
    </PageFrame>
  );
}

function askedFor({ requested_at: at, requested_by: by }: Erasure): string {
  return `Asked for on ${moment(at)} by ${by?.name ?? 'the operator'}.`;
}

function Waiting({ erasure }: { erasure: Erasure }) {
  const [cancelling, setCancelling] = useState(false);
  return (
    <>
      <Alert
        variant="warning"
        isInline
        isLiveRegion
        component="h2"
        title={`${erasure.user.name} is erased on ${moment(erasure.execute_at)}`}
      >
        <p>{askedFor(erasure)} Until then nothing changes, and they can sign in.</p>
      </Alert>
      <div>
        <Button variant="secondary" onClick={() => setCancelling(true)}>
          Cancel the erasure…
        </Button>
      </div>
      {cancelling && <CancelErasureDialog erasure={erasure} onClose={() => setCancelling(false)} />}
    </>
  );
}

function Cancelled({ erasure }: { erasure: Erasure }) {
  return (
    <Alert
      variant="info"
      isInline
      isLiveRegion
      component="h2"
      title={`The erasure of ${erasure.user.name} was cancelled`}
    >
      <p>
        {askedFor(erasure)} Nothing was changed. <Link to={erasePath(erasure.user.id)}>See what it would do</Link>
      </p>
    </Alert>
  );
}

function Done({ erasure }: { erasure: Erasure }) {
  const events = erasure.effects['audit_events'] ?? 0;
  return (
    <>
      <Alert
        variant="success"
        isInline
        isLiveRegion
        component="h2"
        title={`The person was erased on ${moment(erasure.erased_at ?? erasure.execute_at)}`}
      >
        <p>
          {askedFor(erasure)} What they made stays, by “Erased user”. Also when something older is restored, they stay
          erased.
        </p>
      </Alert>
      <Card>
        <CardTitle component="h2">What was done</CardTitle>
        <CardBody className="oa-stack">
          <Effects values={erasure.effects} />
          {events > 0 && (
            <p>{counted(events, 'entry of the audit log was', 'entries of the audit log were')} redacted.</p>
          )}
        </CardBody>
      </Card>
      <Card>
        <CardTitle component="h2">Certificate</CardTitle>
        <CardBody className="oa-stack">
          <p>
            For the person or an authority: what was erased and when, which archives still hold the person and until
            when, signed by this service. It does not name the person.
          </p>
          <div>
            <CertificateButton erasure={erasure} />
          </div>
        </CardBody>
      </Card>
    </>
  );
}
