import { Button } from '@patternfly/react-core';
import { moment } from '../design/format';
import { certificatePath, type Erasure } from './privacy';

export function CertificateButton({ erasure }: { erasure: Erasure }) {
  return (
    <Button
      component="a"
      variant="secondary"
      size="sm"
      href={certificatePath(erasure)}
      download
      aria-label={`Download the certificate of ${moment(erasure.erased_at ?? erasure.execute_at)}`}
    >
      Certificate
    </Button>
  );
}
