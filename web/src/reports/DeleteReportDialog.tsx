import { useQueryClient } from '@tanstack/react-query';
import { useAction } from '../api/action';
import { api } from '../api/client';
import { ConfirmDialog } from '../design/ConfirmDialog';

interface Props {
  report: { id: string; name: string; workspace_id: string };
  onDeleted?: () => void;
  onClose: () => void;
}

export function DeleteReportDialog({ report, onDeleted, onClose }: Props) {
  const client = useQueryClient();
  const remove = useAction(
    () => api.DELETE('/v1/reports/{report_id}', { params: { path: { report_id: report.id } } }),
    () => {
      void client.invalidateQueries({ queryKey: ['workspaces', report.workspace_id, 'reports'] });
      onClose();
      onDeleted?.();
      client.removeQueries({ queryKey: ['reports', report.id] });
    },
  );
  return (
    <ConfirmDialog
      title={`Delete “${report.name}”?`}
      confirm="Delete report"
      dangerous
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined)}
      onClose={onClose}
    >
      The report goes with its visuals, filters and bookmarks, for everybody. Its datasets stay. It can be brought back
      only from an archive that has it.
    </ConfirmDialog>
  );
}
