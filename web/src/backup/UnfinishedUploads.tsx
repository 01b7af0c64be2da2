import { Alert, AlertActionLink } from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { PreviousUpload } from 'tus-js-client';
import { useAction } from '../api/action';
import { answer, api, type Schema } from '../api/client';
import { asProblem } from '../api/problem';
import { ErrorNotice } from '../design/ErrorNotice';
import { bytes, percent } from '../design/format';
import { forgetUnfinished, idOf, unfinishedUploads } from './upload';

interface Unfinished {
  stored: PreviousUpload;
  upload: Schema['Upload'];
}

const key = ['uploads', 'unfinished'];

async function load(): Promise<Unfinished[]> {
  const found: Unfinished[] = [];
  for (const stored of await unfinishedUploads()) {
    try {
      const path = { upload_id: idOf(stored.uploadUrl ?? null) ?? '' };
      found.push({ stored, upload: await answer(api.GET('/v1/uploads/{upload_id}', { params: { path } })) });
    } catch (error) {
      if (![404, 410].includes(asProblem(error).status)) throw error;
      await forgetUnfinished(stored);
    }
  }
  return found.filter(({ upload }) => !upload.complete);
}

/** What was interrupted: the same file goes on where it stopped. */
export function UnfinishedUploads() {
  const client = useQueryClient();
  const list = useQuery({ queryKey: key, queryFn: load, staleTime: 0 });
  const abandon = useAction(
    async (id: string) => {
      const one = list.data?.find(({ upload }) => upload.id === id);
      await api.DELETE('/v1/uploads/{upload_id}', { params: { path: { upload_id: id } } });
      if (one) await forgetUnfinished(one.stored);
    },
    () => void client.invalidateQueries({ queryKey: key }),
  );
  return (
    <>
      {(list.data ?? []).map(({ upload }) => (
        <Alert
          key={upload.id}
          variant="info"
          isInline
          component="h2"
          title={`“${upload.file_name}” is ${percent(upload.offset, upload.length)} % here`}
          actionLinks={<AlertActionLink onClick={() => abandon.mutate(upload.id)}>Abandon it</AlertActionLink>}
        >
          {bytes(upload.offset)} of {bytes(upload.length)} arrived before it was interrupted. Choose the same file below
          and it goes on from there.
        </Alert>
      ))}
      <ErrorNotice error={abandon.error} doing="The upload was not abandoned" />
    </>
  );
}
