import { Button, Progress } from '@patternfly/react-core';
import { ErrorNotice } from '../design/ErrorNotice';
import { bytes, duration, percent } from '../design/format';
import { useNow } from '../design/now';
import { forgetUpload, goOn, pauseUpload, useUpload, type UploadState } from './upload';

export function UploadProgress() {
  const upload = useUpload();
  const now = useNow(1000, upload.phase === 'sending');
  const value = percent(upload.sent, upload.total);
  const variant = upload.phase === 'complete' ? 'success' : upload.phase === 'failed' ? 'danger' : undefined;
  return (
    <div className="oa-stack">
      <Progress
        title={upload.fileName}
        value={value}
        label={`${value} %`}
        variant={variant}
        aria-label={`Upload of ${upload.fileName}`}
      />
      <div className="oa-row">
        <span className="oa-small" role="status">
          {text(upload, now)}
        </span>
        {upload.phase === 'sending' && (
          <Button variant="secondary" size="sm" onClick={() => void pauseUpload()}>
            Pause
          </Button>
        )}
        {upload.phase === 'paused' && (
          <Button size="sm" onClick={goOn}>
            Go on
          </Button>
        )}
        {upload.phase !== 'complete' && (
          <Button variant="link" size="sm" onClick={() => void forgetUpload()}>
            Choose another file
          </Button>
        )}
      </div>
      {upload.error && <ErrorNotice error={upload.error} doing="The upload stopped" onRetry={goOn} />}
    </div>
  );
}

function text(upload: UploadState, now: number): string {
  const amount = `${bytes(upload.sent)} of ${bytes(upload.total)}`;
  if (upload.phase === 'starting') return upload.resumed ? 'Goes on where it stopped' : 'Starting';
  if (upload.phase === 'paused') return `${amount} · paused`;
  if (upload.phase === 'complete') return `${amount} · received`;
  if (upload.phase === 'failed') return `${amount} arrived`;
  if (!upload.since || now - upload.since.at < 1000) return amount;
  const perSecond = (upload.sent - upload.since.sent) / ((now - upload.since.at) / 1000);
  if (perSecond <= 0) return amount;
  return `${amount} · ${bytes(perSecond)}/s · ${duration((upload.total - upload.sent) / perSecond)} left`;
}
