import {
  Alert,
  Button,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { useAction } from '../api/action';
import { api } from '../api/client';
import { ErrorNotice } from '../design/ErrorNotice';

export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const [present, setPresent] = useState('');
  const [next, setNext] = useState('');
  const change = useAction(() => api.POST('/v1/auth/password', { body: { present, next } }));
  const ready = present !== '' && next.length >= 8 && !change.isPending;
  return (
    <Modal variant="small" isOpen onClose={onClose} aria-labelledby="password-title">
      <ModalHeader title="Change your password" labelId="password-title" />
      <ModalBody>
        {change.isSuccess ? (
          <Alert
            variant="success"
            isInline
            isLiveRegion
            component="p"
            title="Your password is changed. Other browsers were signed out."
          />
        ) : (
          <Form
            id="password-form"
            onSubmit={(event) => {
              event.preventDefault();
              if (ready) change.mutate(undefined);
            }}
          >
            <FormGroup label="Present password" fieldId="password-present" isRequired>
              <TextInput
                id="password-present"
                type="password"
                autoComplete="current-password"
                value={present}
                onChange={(_event, value) => setPresent(value)}
              />
            </FormGroup>
            <FormGroup label="New password" fieldId="password-next" isRequired>
              <TextInput
                id="password-next"
                type="password"
                autoComplete="new-password"
                value={next}
                onChange={(_event, value) => setNext(value)}
                aria-describedby="password-rule"
              />
              <FormHelperText>
                <HelperText>
                  <HelperTextItem id="password-rule">At least 8 characters.</HelperTextItem>
                </HelperText>
              </FormHelperText>
            </FormGroup>
            <ErrorNotice error={change.error} />
          </Form>
        )}
      </ModalBody>
      <ModalFooter>
        {!change.isSuccess && (
          <Button type="submit" form="password-form" isDisabled={!ready} isLoading={change.isPending}>
            Change password
          </Button>
        )}
        <Button variant={change.isSuccess ? 'primary' : 'link'} onClick={onClose}>
          {change.isSuccess ? 'Close' : 'Cancel'}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
