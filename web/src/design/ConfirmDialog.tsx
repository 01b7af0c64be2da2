// A question before something that cannot be taken back lightly: it names the thing and the consequence.
import { Button, Form, FormGroup, Modal, ModalBody, ModalFooter, ModalHeader, TextInput } from '@patternfly/react-core';
import { useState, type ReactNode } from 'react';
import { ErrorNotice } from './ErrorNotice';

interface Props {
  title: string;
  children: ReactNode;
  confirm: string; // the button: a verb and its object
  dangerous?: boolean;
  /** A text that has to be typed first. */
  retype?: string;
  busy?: boolean;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

export function ConfirmDialog({
  title,
  children,
  confirm,
  dangerous = false,
  retype,
  busy = false,
  error,
  onConfirm,
  onClose,
}: Props) {
  const [typed, setTyped] = useState('');
  const ready = !busy && (retype === undefined || typed.trim() === retype);
  return (
    <Modal variant="small" isOpen onClose={onClose} aria-labelledby="confirm-title" aria-describedby="confirm-body">
      <ModalHeader title={title} labelId="confirm-title" titleIconVariant={dangerous ? 'warning' : undefined} />
      <ModalBody id="confirm-body">
        {children}
        {retype !== undefined && (
          <Form
            className="oa-retype"
            onSubmit={(event) => {
              event.preventDefault();
              if (ready) onConfirm();
            }}
          >
            <FormGroup label={`Type “${retype}” to go on`} fieldId="confirm-retype">
              <TextInput
                id="confirm-retype"
                value={typed}
                onChange={(_event, value) => setTyped(value)}
                autoComplete="off"
              />
            </FormGroup>
          </Form>
        )}
        <ErrorNotice error={error} />
      </ModalBody>
      <ModalFooter>
        <Button variant={dangerous ? 'danger' : 'primary'} isDisabled={!ready} isLoading={busy} onClick={onConfirm}>
          {confirm}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
