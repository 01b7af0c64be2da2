import {
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
import { answer, api } from '../api/client';
import { ErrorNotice } from '../design/ErrorNotice';

interface Body {
  public_key: string;
  fingerprint: string;
  note: string;
}

/** The last line of a minisign file is the key; the one before is a comment. */
function keyLine(text: string): string {
  return (
    text
      .trim()
      .split(/\s*\n\s*/)
      .at(-1) ?? ''
  );
}

export function AcceptSignerDialog({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [publicKey, setPublicKey] = useState('');
  const [fingerprint, setFingerprint] = useState('');
  const [note, setNote] = useState('');
  const accept = useAction((body: Body) => answer(api.POST('/v1/keys', { body })), onDone);
  const bare = fingerprint.replaceAll(/\s/g, '').toLowerCase();
  const ready = keyLine(publicKey) !== '' && /^[0-9a-f]{64}$/.test(bare) && !accept.isPending;
  return (
    <Modal variant="medium" isOpen onClose={onClose} aria-labelledby="accept-title">
      <ModalHeader
        title="Accept a signer"
        labelId="accept-title"
        description="Archives that they signed can then be restored here. Accept only a key whose fingerprint its owner told you."
      />
      <ModalBody>
        <Form
          id="accept-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (ready) accept.mutate({ public_key: keyLine(publicKey), fingerprint: bare, note: note.trim() });
          }}
        >
          <FormGroup label="Public key" fieldId="accept-key" isRequired>
            <TextInput
              id="accept-key"
              value={publicKey}
              onChange={(_event, value) => setPublicKey(value)}
              aria-describedby="accept-key-about"
              autoComplete="off"
            />
            <FormHelperText>
              <HelperText>
                <HelperTextItem id="accept-key-about">The line of letters in their .pub file.</HelperTextItem>
              </HelperText>
            </FormHelperText>
          </FormGroup>
          <FormGroup label="Fingerprint, as they told it" fieldId="accept-fingerprint" isRequired>
            <TextInput
              id="accept-fingerprint"
              value={fingerprint}
              onChange={(_event, value) => setFingerprint(value)}
              aria-describedby="accept-fingerprint-about"
              autoComplete="off"
            />
            <FormHelperText>
              <HelperText>
                <HelperTextItem id="accept-fingerprint-about">64 characters; spaces do not matter.</HelperTextItem>
              </HelperText>
            </FormHelperText>
          </FormGroup>
          <FormGroup label="Whose it is" fieldId="accept-note">
            <TextInput id="accept-note" value={note} maxLength={500} onChange={(_event, value) => setNote(value)} />
          </FormGroup>
          <ErrorNotice error={accept.error} doing="The signer was not accepted" />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="accept-form" isDisabled={!ready} isLoading={accept.isPending}>
          Accept signer
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
