// What came of an uploaded file: a verified archive, or a signer who is not accepted here yet.
import { Alert, Button, Checkbox } from '@patternfly/react-core';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { useAction } from '../api/action';
import { answer, api } from '../api/client';
import { textOf, type Job } from '../api/jobs';
import { useMe } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { grouped } from '../design/format';
import { ArchiveFacts } from './ArchivePage';
import { useArchive } from './archive';

export function ReceivedArchive({ job, onAccepted }: { job: Job; onAccepted: () => void }) {
  const archiveId = textOf(job.result, 'archive_id');
  if (archiveId) return <VerifiedArchive id={archiveId} />;
  const signer = (job.result?.['signer'] ?? null) as object | null;
  const fingerprint = textOf(signer, 'fingerprint');
  const publicKey = textOf(signer, 'public_key');
  if (!fingerprint || !publicKey) return null;
  return <UnknownSigner fingerprint={fingerprint} publicKey={publicKey} onAccepted={onAccepted} />;
}

function VerifiedArchive({ id }: { id: string }) {
  const navigate = useNavigate();
  const archive = useArchive(id);
  if (!archive.data) return archive.error ? <ErrorNotice error={archive.error} /> : <Loading what="the archive" />;
  return (
    <div className="oa-stack">
      <Alert
        variant="success"
        isInline
        isLiveRegion
        component="h2"
        title="The archive is complete and unchanged since it was signed"
      />
      <ArchiveFacts archive={archive.data} />
      <div>
        <Button onClick={() => navigate(`/settings/backup/archives/${id}/restore`)}>Choose what to restore</Button>
      </div>
    </div>
  );
}

interface SignerProps {
  fingerprint: string;
  publicKey: string;
  onAccepted: () => void;
}

function UnknownSigner({ fingerprint, publicKey, onAccepted }: SignerProps) {
  const me = useMe();
  const [same, setSame] = useState(false);
  const accept = useAction(
    () => answer(api.POST('/v1/keys', { body: { public_key: publicKey, fingerprint, note: '' } })),
    onAccepted,
  );
  return (
    <div className="oa-stack">
      <Alert
        variant="warning"
        isInline
        isLiveRegion
        component="h2"
        title="The archive is intact, but who signed it is not known here"
      >
        <p>
          Anybody can sign an archive. Ask the one who gave it to you for the fingerprint of their key, not by the way
          the file came, and compare:
        </p>
        <p className="oa-hash">{grouped(fingerprint)}</p>
      </Alert>
      {me.owner ? (
        <>
          <Checkbox
            id="same-fingerprint"
            label="They told me this very fingerprint"
            isChecked={same}
            onChange={(_event, on) => setSame(on)}
          />
          <ErrorNotice error={accept.error} doing="The signer was not accepted" />
          <div>
            <Button
              isDisabled={!same || accept.isPending}
              isLoading={accept.isPending}
              onClick={() => accept.mutate(undefined)}
            >
              Accept this signer and verify again
            </Button>
          </div>
        </>
      ) : (
        <p>Ask an Owner of {me.tenant.name} to accept this signer in Settings → Keys, then upload the file again.</p>
      )}
    </div>
  );
}
