import {
  Alert,
  Button,
  Checkbox,
  ClipboardCopy,
  Form,
  FormGroup,
  FormSelect,
  FormSelectOption,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { useAction } from '../api/action';
import { answer, api, type Schema } from '../api/client';
import { useMe } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';

type Scope = Schema['Scope'];
type Body = { name: string; scopes: Scope[]; expires_at: string | null };

const scopes: { scope: Scope; about: string; right: 'anybody' | 'backup' | 'owner' }[] = [
  { scope: 'read', about: 'see jobs and their progress', right: 'anybody' },
  { scope: 'reports', about: 'open reports, and delete them', right: 'anybody' },
  { scope: 'datasets', about: 'see and refresh datasets', right: 'anybody' },
  { scope: 'backup', about: 'create, download and delete archives', right: 'backup' },
  { scope: 'restore', about: 'upload archives and restore', right: 'backup' },
  { scope: 'admin', about: 'tokens, keys, the audit log and personal data', right: 'anybody' },
];
const lifetimes = [
  { days: 30, label: '30 days' },
  { days: 90, label: '90 days' },
  { days: 365, label: 'A year' },
  { days: 0, label: 'Without end' },
];

export function CreateTokenDialog({ onCreated, onClose }: { onCreated: () => void; onClose: () => void }) {
  const me = useMe();
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<Scope[]>([]);
  const [days, setDays] = useState(90);
  const create = useAction((body: Body) => answer(api.POST('/v1/tokens', { body })), onCreated);
  const ready = name.trim() !== '' && chosen.length > 0 && !create.isPending;
  const submit = () => {
    const expires = days > 0 ? new Date(Date.now() + days * 86_400_000).toISOString() : null;
    if (ready) create.mutate({ name: name.trim(), scopes: chosen, expires_at: expires });
  };
  const offered = scopes.filter(({ right }) => right === 'anybody' || me.may_back_up);
  return (
    <Modal variant="medium" isOpen onClose={onClose} aria-labelledby="token-title">
      <ModalHeader title={create.data ? 'Your new token' : 'Create an API token'} labelId="token-title" />
      <ModalBody>
        {create.data ? (
          <div className="oa-stack">
            <Alert variant="warning" isInline isLiveRegion component="p" title="Copy it now: it is not shown again." />
            <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied" textAriaLabel="Token">
              {create.data.token}
            </ClipboardCopy>
          </div>
        ) : (
          <Form
            id="token-form"
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <FormGroup label="Name" fieldId="token-name" isRequired>
              <TextInput
                id="token-name"
                value={name}
                maxLength={100}
                onChange={(_event, value) => setName(value)}
                placeholder="Nightly archive"
                autoComplete="off"
              />
            </FormGroup>
            <FormGroup role="group" label="It may" fieldId="token-scopes" isRequired>
              {offered.map(({ scope, about }) => (
                <Checkbox
                  key={scope}
                  id={`scope-${scope}`}
                  label={
                    <>
                      <code>{scope}</code>: {about}
                    </>
                  }
                  isChecked={chosen.includes(scope)}
                  onChange={(_event, on) =>
                    setChosen(on ? [...chosen, scope] : chosen.filter((each) => each !== scope))
                  }
                />
              ))}
            </FormGroup>
            <FormGroup label="Works for" fieldId="token-days">
              <FormSelect id="token-days" value={days} onChange={(_event, value) => setDays(Number(value))}>
                {lifetimes.map((lifetime) => (
                  <FormSelectOption key={lifetime.days} value={lifetime.days} label={lifetime.label} />
                ))}
              </FormSelect>
            </FormGroup>
            <ErrorNotice error={create.error} doing="The token was not made" />
          </Form>
        )}
      </ModalBody>
      <ModalFooter>
        {!create.data && (
          <Button type="submit" form="token-form" isDisabled={!ready} isLoading={create.isPending}>
            Create token
          </Button>
        )}
        <Button variant={create.data ? 'primary' : 'link'} onClick={onClose}>
          {create.data ? 'I have copied it' : 'Cancel'}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
