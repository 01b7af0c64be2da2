// Uploads that were begun and not ended, from whichever browser: the same file goes on where it stopped.
import { Alert, Button, Card, CardBody, CardTitle } from '@patternfly/react-core';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { useAction } from '../api/action';
import { answer, api, type Schema } from '../api/client';
import { useList } from '../api/lists';
import { useMe } from '../api/me';
import { ConfirmDialog } from '../design/ConfirmDialog';
import { ErrorNotice } from '../design/ErrorNotice';
import { RecordTable } from '../design/RecordTable';
import { ago, bytes, moment, percent } from '../design/format';
import { continueUpload, forgetStored, useUpload } from './upload';

type Upload = Schema['Upload'];

export const uploadsKey = ['uploads'];

export function UnfinishedUploads() {
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const running = useUpload();
  const [discarding, setDiscarding] = useState<Upload | null>(null);
  const list = useList<Upload>(uploadsKey, (query) => answer(api.GET('/v1/uploads', { params: { query } })));
  const discard = useAction(
    async ({ id }: Upload) => {
      await api.DELETE('/v1/uploads/{upload_id}', {
        params: { path: { upload_id: id }, header: { 'Tus-Resumable': '1.0.0' } },
      });
      await forgetStored(id);
    },
    () => {
      setDiscarding(null);
      void client.invalidateQueries({ queryKey: uploadsKey });
    },
  );
  const rows = (list.rows ?? []).filter(({ id }) => running.phase === 'idle' || id !== running.uploadId);
  if (rows.length === 0) return null;
  return (
    <Card>
      <CardTitle component="h2">Uploads that did not end</CardTitle>
      <CardBody>
        <RecordTable
          label="Uploads that did not end"
          rows={rows}
          keyOf={(upload) => upload.id}
          more={list.more}
          columns={[
            {
              title: 'File',
              cell: (upload) => (
                <>
                  <strong>{upload.file_name}</strong>
                  <div className="oa-small">
                    begun {ago(upload.created_at)} by {upload.created_by?.name ?? 'the operator'}
                  </div>
                </>
              ),
            },
            {
              title: 'Arrived',
              cell: (upload) => (
                <>
                  {percent(upload.offset, upload.length)} % of {bytes(upload.length)}
                  <div className="oa-small">kept until {moment(upload.expires_at)}</div>
                </>
              ),
            },
            {
              title: 'Actions',
              actions: true,
              cell: (upload) => (
                <div className="oa-row">
                  {upload.complete ? (
                    <Button
                      size="sm"
                      variant="secondary"
                      aria-label={`Verify ${upload.file_name}`}
                      onClick={() => navigate(`/settings/backup/upload?upload=${upload.id}`)}
                    >
                      Verify
                    </Button>
                  ) : (
                    upload.created_by?.id === me.user.id && <GoOn upload={upload} />
                  )}
                  <Button
                    size="sm"
                    variant="link"
                    isDanger
                    aria-label={`Discard ${upload.file_name}`}
                    onClick={() => setDiscarding(upload)}
                  >
                    Discard
                  </Button>
                </div>
              ),
            },
          ]}
        />
        {discarding && (
          <ConfirmDialog
            title="Discard this upload?"
            confirm="Discard upload"
            dangerous
            busy={discard.isPending}
            error={discard.error}
            onConfirm={() => discard.mutate(discarding)}
            onClose={() => setDiscarding(null)}
          >
            <p>
              The {bytes(discarding.offset)} of <strong>{discarding.file_name}</strong> that arrived are removed from{' '}
              {me.tenant.name}. Your own copy of the file is not touched.
            </p>
          </ConfirmDialog>
        )}
        <ErrorNotice error={list.error} />
      </CardBody>
    </Card>
  );
}

function GoOn({ upload }: { upload: Upload }) {
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const [other, setOther] = useState<File | null>(null);
  const take = (file: File | undefined) => {
    if (!file) return;
    if (file.size !== upload.length) {
      setOther(file);
      return;
    }
    void continueUpload(file, upload.id);
    navigate('/settings/backup/upload');
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        accept=".oa-archive"
        aria-label={`The file ${upload.file_name} again`}
        onChange={(event) => take(event.target.files?.[0])}
      />
      <Button
        size="sm"
        variant="secondary"
        aria-label={`Go on… with ${upload.file_name}`}
        onClick={() => input.current?.click()}
      >
        Go on…
      </Button>
      {other && (
        <Alert
          variant="warning"
          isInline
          isLiveRegion
          component="p"
          className="oa-error"
          title={`“${other.name}” is another file: it has ${bytes(other.size)}, not ${bytes(upload.length)}.`}
        />
      )}
    </>
  );
}
