// When, and the confirmation: the e-mail address has to be typed.
import { Button, Card, CardBody, CardTitle, Form, FormGroup, Radio } from '@patternfly/react-core';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { useBegun } from '../api/active_jobs';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import type { Job } from '../api/jobs';
import { useMe } from '../api/me';
import { ConfirmDialog } from '../design/ConfirmDialog';
import { counted, moment } from '../design/format';
import { DaysInput, isDays } from './DaysInput';
import { erasurePath, useReloadPrivacy, type Erasure, type Preview } from './privacy';

export function EraseForm({ preview, onBegun }: { preview: Preview; onBegun: (job: Job) => void }) {
  const { user } = preview;
  const me = useMe();
  const navigate = useNavigate();
  const begun = useBegun();
  const reload = useReloadPrivacy();
  const [waits, setWaits] = useState(preview.cooling_off_days > 0);
  const [days, setDays] = useState(Math.max(1, preview.cooling_off_days));
  const [confirming, setConfirming] = useState(false);
  const wait = waits ? days : 0;
  const erase = useAction(
    (coolingOff: number, header) =>
      answer<Job | Erasure>(
        api.POST('/v1/privacy/erasures', {
          params: { header },
          body: { user_id: user.id, confirm: user.email, cooling_off_days: coolingOff },
        }),
      ),
    (made) => {
      setConfirming(false);
      if ('kind' in made) {
        begun(made);
        onBegun(made);
      } else {
        reload();
        navigate(erasurePath(made.id));
      }
    },
  );
  return (
    <Card>
      <CardTitle component="h2">When</CardTitle>
      <CardBody>
        <Form
          onSubmit={(event) => {
            event.preventDefault();
            if (!waits || isDays(days, 1)) setConfirming(true);
          }}
        >
          <FormGroup role="radiogroup" aria-label="When" fieldId="erase-when">
            <Radio id="erase-now" name="erase-when" label="Now" isChecked={!waits} onChange={() => setWaits(false)} />
            <Radio
              id="erase-later"
              name="erase-when"
              label="After a time in which it can be cancelled"
              isChecked={waits}
              onChange={() => setWaits(true)}
            />
          </FormGroup>
          {waits && (
            <FormGroup label="How many days" fieldId="erase-days">
              <DaysInput id="erase-days" label="Days until it is done" min={1} value={days} onChange={setDays} />
            </FormGroup>
          )}
          <div>
            <Button type="submit" variant="danger" isDisabled={waits && !isDays(days, 1)}>
              Erase {user.name}…
            </Button>
          </div>
        </Form>
      </CardBody>
      {confirming && (
        <ConfirmDialog
          title={`Erase ${user.name} for good?`}
          confirm={waits ? `Erase ${user.name} in ${counted(days, 'day')}` : `Erase ${user.name} now`}
          dangerous
          retype={user.email}
          busy={erase.isPending}
          error={erase.error}
          onConfirm={() => erase.mutate(wait)}
          onClose={() => {
            erase.reset();
            setConfirming(false);
          }}
        >
          <p>
            {waits
              ? `On ${moment(new Date(Date.now() + days * 86_400_000).toISOString())} everything that tells of ${user.name} is erased in ${me.tenant.name}. Until then an Owner can cancel it; until then they can sign in.`
              : `Everything that tells of ${user.name} is erased in ${me.tenant.name}, and they are signed out everywhere.`}{' '}
            After that nobody can bring it back, from no archive and from no moment.
          </p>
        </ConfirmDialog>
      )}
    </Card>
  );
}
