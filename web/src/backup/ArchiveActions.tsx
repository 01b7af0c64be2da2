// What can be done with an archive. Restore is the one that matters in a hurry: it stands first.
import { Button, Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { EllipsisVIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { useBegun } from '../api/active_jobs';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { useMe } from '../api/me';
import { ConfirmDialog } from '../design/ConfirmDialog';
import { ErrorNotice } from '../design/ErrorNotice';
import { bytes, moment } from '../design/format';
import { contentsText, downloadPath, useReloadArchives, type Archive } from './archive';

interface Props {
  archive: Archive;
  onDeleted?: () => void;
}

export function ArchiveActions({ archive, onDeleted }: Props) {
  const me = useMe();
  const navigate = useNavigate();
  const begun = useBegun();
  const reload = useReloadArchives();
  const [open, setOpen] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const path = { archive_id: archive.id };
  const verify = useAction(
    (_input: null, header) => answer(api.POST('/v1/archives/{archive_id}/verify', { params: { path, header } })),
    begun,
  );
  const remove = useAction(
    () => api.DELETE('/v1/archives/{archive_id}', { params: { path } }),
    () => {
      setDeleting(false);
      onDeleted?.();
      reload();
    },
  );
  return (
    <>
      <div className="oa-row">
        <Button
          variant="primary"
          size="sm"
          onClick={() => navigate(`/settings/backup/archives/${archive.id}/restore`)}
          aria-label={`Restore from ${archive.name}`}
        >
          Restore…
        </Button>
        <Dropdown
          isOpen={open}
          onOpenChange={setOpen}
          onSelect={() => setOpen(false)}
          popperProps={{ position: 'right' }}
          toggle={(ref) => (
            <MenuToggle
              ref={ref}
              variant="plain"
              isExpanded={open}
              onClick={() => setOpen(!open)}
              aria-label={`More about ${archive.name}`}
            >
              <EllipsisVIcon />
            </MenuToggle>
          )}
        >
          <DropdownList>
            <DropdownItem to={downloadPath(archive)} download={archive.name}>
              Download ({bytes(archive.size_bytes)})
            </DropdownItem>
            <DropdownItem onClick={() => verify.mutate(null)}>Verify every byte again</DropdownItem>
            <DropdownItem isDanger onClick={() => setDeleting(true)}>
              Delete…
            </DropdownItem>
          </DropdownList>
        </Dropdown>
      </div>
      <ErrorNotice error={verify.error} doing="The archive is not being verified" />
      {deleting && (
        <ConfirmDialog
          title="Delete this archive for good?"
          confirm="Delete archive"
          dangerous
          busy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate(undefined)}
          onClose={() => setDeleting(false)}
        >
          <p>
            <strong>{archive.name}</strong> of {me.tenant.name} shows {moment(archive.snapshot_time)}:{' '}
            {contentsText(archive)}.
          </p>
          <p>What is in no other archive cannot be restored any more. Copies that were downloaded are not touched.</p>
        </ConfirmDialog>
      )}
    </>
  );
}
