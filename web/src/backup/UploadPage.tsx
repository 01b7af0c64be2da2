// A file becomes an archive: upload, verification, and if its signer is not known here, the question whether to
// accept them. The address keeps the upload and the job, so that a reload loses nothing.
import { Button, Card, CardBody } from '@patternfly/react-core';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router-dom';
import { useBegun } from '../api/active_jobs';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import type { Job } from '../api/jobs';
import { ErrorNotice } from '../design/ErrorNotice';
import { JobOutcome } from '../design/JobOutcome';
import { PageFrame } from '../design/PageFrame';
import { ReceivedArchive } from './ReceivedArchive';
import { UnfinishedUploads } from './UnfinishedUploads';
import { UploadProgress } from './UploadProgress';
import { useReloadArchives } from './archive';
import { forgetUpload, startUpload, useUpload } from './upload';

export function UploadPage() {
  const [parameters, setParameters] = useSearchParams();
  const upload = useUpload();
  const begun = useBegun();
  const reload = useReloadArchives();
  const jobId = parameters.get('job');
  const receive = useAction(
    (uploadId: string, header) =>
      answer(api.POST('/v1/archives/from-upload', { params: { header }, body: { upload_id: uploadId } })),
    (job: Job, uploadId) => {
      begun(job);
      void forgetUpload();
      setParameters({ upload: uploadId, job: job.id }, { replace: true });
    },
  );
  const { mutate } = receive;
  const named = jobId ? null : parameters.get('upload'); // whole already, and not verified
  const complete = upload.phase === 'complete' ? upload.uploadId : upload.phase === 'idle' ? named : null;
  const asked = useRef<string | null>(null);
  useEffect(() => {
    if (!complete || asked.current === complete) return;
    asked.current = complete;
    mutate(complete);
  }, [complete, mutate]);
  const uploadId = parameters.get('upload');
  const again = useCallback(() => uploadId && mutate(uploadId), [uploadId, mutate]);
  const fresh = () => {
    receive.reset();
    setParameters({}, { replace: true });
  };
  return (
    <PageFrame
      title="Restore from a file"
      crumbs={[{ text: 'Backup', to: '/settings/backup' }]}
      about="The archive is uploaded and verified. Nothing is restored before you have seen what would change."
    >
      <div className="oa-stack oa-narrow">
        {!jobId && upload.phase === 'idle' && (
          <>
            <UnfinishedUploads />
            <FileChooser />
          </>
        )}
        {!jobId && upload.phase !== 'idle' && (
          <Card>
            <CardBody>
              <UploadProgress />
            </CardBody>
          </Card>
        )}
        <ErrorNotice
          error={receive.error}
          doing="The archive was not verified"
          onRetry={complete ? () => mutate(complete) : again}
        />
        {jobId && (
          <Card>
            <CardBody>
              <JobOutcome key={jobId} jobId={jobId} onDone={reload}>
                {(job) => <ReceivedArchive job={job} onAccepted={again} />}
              </JobOutcome>
            </CardBody>
          </Card>
        )}
        {jobId && (
          <div>
            <Button variant="link" isInline onClick={fresh}>
              Upload another file
            </Button>
          </div>
        )}
      </div>
    </PageFrame>
  );
}

function FileChooser() {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const navigate = useNavigate();
  const take = (file: File | undefined) => {
    if (file) void startUpload(file);
  };
  return (
    <div
      className={over ? 'oa-drop oa-over' : 'oa-drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files[0]);
      }}
    >
      <p>
        Drop an <code>.oa-archive</code> file here, or
      </p>
      <input
        ref={input}
        type="file"
        hidden
        accept=".oa-archive"
        aria-label="Archive file"
        onChange={(event) => take(event.target.files?.[0])}
      />
      <Button onClick={() => input.current?.click()}>Choose a file</Button>
      <Button variant="link" onClick={() => navigate('/settings/backup')}>
        Pick one of your archives instead
      </Button>
    </div>
  );
}
