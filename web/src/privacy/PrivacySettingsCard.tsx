import {
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  Radio,
} from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useAction } from '../api/action';
import { answer, api, type Schema } from '../api/client';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { DaysInput, isDays } from './DaysInput';
import { settingsKey } from './privacy';

type Settings = Schema['PrivacySettings'];

export function PrivacySettingsCard() {
  const settings = useQuery({ queryKey: settingsKey, queryFn: () => answer(api.GET('/v1/privacy/settings')) });
  return (
    <Card>
      <CardTitle component="h2">How erasures are done</CardTitle>
      <CardBody>
        <ErrorNotice error={settings.error} onRetry={() => void settings.refetch()} />
        {!settings.data && !settings.error && <Loading what="the settings" lines={2} />}
        {settings.data && <SettingsForm settings={settings.data} />}
      </CardBody>
    </Card>
  );
}

function SettingsForm({ settings }: { settings: Settings }) {
  const client = useQueryClient();
  const [wanted, setWanted] = useState(settings);
  const save = useAction(
    (body: Settings) => answer(api.PUT('/v1/privacy/settings', { body })),
    (saved) => client.setQueryData(settingsKey, saved),
  );
  const change = (part: Partial<Settings>) => {
    setWanted({ ...wanted, ...part });
    save.reset();
  };
  const valid = isDays(wanted.cooling_off_days, 0);
  return (
    <Form
      className="oa-narrow"
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) save.mutate(wanted);
      }}
    >
      <FormGroup role="radiogroup" label="Archives that are stored here" fieldId="privacy-archives">
        <Radio
          id="privacy-list"
          name="privacy-archives"
          label="Stay as they are"
          description="They hold an erased person until they expire or are deleted, and are listed with each erasure. Whoever restores from them gets “Erased user” back, never the person."
          isChecked={wanted.archives === 'list'}
          onChange={() => change({ archives: 'list' })}
        />
        <Radio
          id="privacy-rewrite"
          name="privacy-archives"
          label="Are written anew without the person"
          description="They are signed again, and say so. Copies that were downloaded before are not touched."
          isChecked={wanted.archives === 'rewrite'}
          onChange={() => change({ archives: 'rewrite' })}
        />
      </FormGroup>
      <FormGroup label="Erasures wait for (days)" fieldId="privacy-days">
        <DaysInput
          id="privacy-days"
          label="Days to wait"
          min={0}
          value={wanted.cooling_off_days}
          onChange={(days) => change({ cooling_off_days: days })}
        />
        <FormHelperText>
          <HelperText>
            <HelperTextItem>
              Until then they can be cancelled. 0: they are done at once. It can be chosen anew for each.
            </HelperTextItem>
          </HelperText>
        </FormHelperText>
      </FormGroup>
      <ErrorNotice error={save.error} doing="The settings are not saved" />
      {save.isSuccess && <Alert variant="success" isInline isPlain isLiveRegion component="p" title="Saved" />}
      <div>
        <Button type="submit" variant="secondary" isDisabled={!valid || save.isPending} isLoading={save.isPending}>
          Save
        </Button>
      </div>
    </Form>
  );
}
