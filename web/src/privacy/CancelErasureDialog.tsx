import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { ConfirmDialog } from '../design/ConfirmDialog';
import { moment } from '../design/format';
import { useReloadPrivacy, type Erasure } from './privacy';

export function CancelErasureDialog({ erasure, onClose }: { erasure: Erasure; onClose: () => void }) {
  const reload = useReloadPrivacy();
  const cancel = useAction(
    (_input: null, header) =>
      answer(
        api.POST('/v1/privacy/erasures/{erasure_id}/cancel', { params: { path: { erasure_id: erasure.id }, header } }),
      ),
    () => {
      reload();
      onClose();
    },
  );
  return (
    <ConfirmDialog
      title={`Keep ${erasure.user.name}?`}
      confirm="Cancel the erasure"
      busy={cancel.isPending}
      error={cancel.error}
      onConfirm={() => cancel.mutate(null)}
      onClose={onClose}
    >
      They would be erased on {moment(erasure.execute_at)}. When you cancel that, everything stays as it is; they can be
      erased later.
    </ConfirmDialog>
  );
}
