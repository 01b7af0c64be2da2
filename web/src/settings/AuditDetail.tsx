import { Button, CodeBlock, CodeBlockCode, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useState } from 'react';
import type { Schema } from '../api/client';

export function AuditDetail({ event }: { event: Schema['AuditEvent'] }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        variant="link"
        size="sm"
        onClick={() => setOpen(true)}
        aria-label={`Details of ${event.action}, entry ${event.sequence}`}
      >
        Details
      </Button>
      {open && (
        <Modal variant="medium" isOpen onClose={() => setOpen(false)} aria-labelledby="audit-title">
          <ModalHeader
            title={event.action}
            labelId="audit-title"
            description={`Entry ${event.sequence} of the chain`}
          />
          <ModalBody tabIndex={0} role="region" aria-label="Entry">
            <CodeBlock>
              <CodeBlockCode>{JSON.stringify(event, null, 2)}</CodeBlockCode>
            </CodeBlock>
          </ModalBody>
          <ModalFooter>
            <Button onClick={() => setOpen(false)}>Close</Button>
          </ModalFooter>
        </Modal>
      )}
    </>
  );
}
