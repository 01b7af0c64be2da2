// The one upload of this page. It goes on while other pages are looked at; after a reload it goes on when the same
// file is chosen again (tus 1.0: the server knows how far it got).
import { useSyncExternalStore } from 'react';
import { defaultOptions, DetailedError, Upload, type PreviousUpload } from 'tus-js-client';
import { presentCsrfToken } from '../api/client';
import { Problem } from '../api/problem';

export interface UploadState {
  phase: 'idle' | 'starting' | 'sending' | 'paused' | 'failed' | 'complete';
  fileName: string;
  sent: number;
  total: number;
  /** Where this run began: for the speed. */
  since: { at: number; sent: number } | null;
  uploadId: string | null;
  error: Problem | null;
  resumed: boolean;
}

const nothing: UploadState = {
  phase: 'idle',
  fileName: '',
  sent: 0,
  total: 0,
  since: null,
  uploadId: null,
  error: null,
  resumed: false,
};
const chunkBytes = 32 * 1024 * 1024; // what is sent again at most, when a connection breaks

let state = nothing;
let running: Upload | null = null;
const listeners = new Set<() => void>();

function set(part: Partial<UploadState>): void {
  state = { ...state, ...part };
  for (const listener of listeners) listener();
}

function problemFrom(error: Error): Problem {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (!response) return new Problem(0, {});
  let document = {};
  try {
    document = JSON.parse(response.getBody()) as object;
  } catch {
    // A proxy in between answered.
  }
  return new Problem(response.getStatus(), document, response.getHeader('Retry-After') ?? null);
}

export function idOf(url: string | null): string | null {
  return url?.match(/\/v1\/uploads\/([0-9a-fA-F-]{36})$/)?.[1] ?? null;
}

export async function startUpload(file: File): Promise<void> {
  const upload = await prepare(file);
  const before = newest(await upload.findPreviousUploads());
  if (before) {
    upload.resumeFromPreviousUpload(before);
    set({ resumed: true });
  }
  upload.start();
}

/** Goes on with an upload that some browser began with the same file. */
export async function continueUpload(file: File, id: string): Promise<void> {
  const upload = await prepare(file);
  upload.url = `/v1/uploads/${id}`;
  set({ resumed: true, uploadId: id });
  upload.start();
}

async function prepare(file: File): Promise<Upload> {
  await running?.abort();
  set({ ...nothing, phase: 'starting', fileName: file.name, total: file.size });
  const upload = new Upload(file, {
    endpoint: '/v1/uploads',
    metadata: { filename: file.name },
    chunkSize: chunkBytes,
    retryDelays: [0, 1000, 3000, 5000, 10_000, 20_000],
    removeFingerprintOnSuccess: true,
    onBeforeRequest: (request) => request.setHeader('X-CSRF-Token', presentCsrfToken()),
    onUploadUrlAvailable: () => set({ uploadId: idOf(upload.url) }),
    onProgress: (sent, total) => {
      if (running !== upload) return;
      set({
        phase: state.phase === 'paused' ? 'paused' : 'sending',
        sent,
        total,
        since: state.since ?? { at: Date.now(), sent },
      });
    },
    onSuccess: () => set({ phase: 'complete', sent: state.total, uploadId: idOf(upload.url) }),
    onError: (error) => set({ phase: 'failed', error: problemFrom(error), since: null }),
  });
  running = upload;
  return upload;
}

function newest(uploads: PreviousUpload[]): PreviousUpload | undefined {
  return [...uploads].sort((a, b) => new Date(b.creationTime).getTime() - new Date(a.creationTime).getTime())[0];
}

export async function pauseUpload(): Promise<void> {
  set({ phase: 'paused', since: null });
  await running?.abort();
}

export function goOn(): void {
  set({ phase: 'starting', error: null, since: null });
  running?.start();
}

/** Stops and forgets it here; the server keeps what it has until it expires. */
export async function forgetUpload(): Promise<void> {
  await running?.abort();
  running = null;
  set(nothing);
}

export function useUpload(): UploadState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

window.addEventListener('online', () => {
  if (state.phase === 'failed' && state.error?.answered === false) goOn();
});

/** What this browser remembers of an upload. */
export async function forgetStored(id: string): Promise<void> {
  const { urlStorage } = defaultOptions;
  for (const { uploadUrl, urlStorageKey } of await urlStorage.findAllUploads()) {
    if (idOf(uploadUrl ?? null) === id) await urlStorage.removeUpload(urlStorageKey);
  }
}
