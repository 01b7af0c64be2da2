// The API as functions, typed by docs/openapi.yaml (schema.d.ts is generated from it).
import createClient, { type Middleware } from 'openapi-fetch';
import { Problem, problemOf } from './problem';
import type { components, paths } from '../../generated/schema';

export type Schema = components['schemas'];

let csrfToken = '';
let onSignedOut: () => void = () => {};
let onCatchingUp: () => void = () => {};

export function keepCsrfToken(token: string | null): void {
  csrfToken = token ?? '';
}

export function presentCsrfToken(): string {
  return csrfToken;
}

/** Called when the server says that nobody is signed in. */
export function whenSignedOut(callback: () => void): void {
  onSignedOut = callback;
}

/** Called when the server serves nobody, since it was restored and does not know yet who was erased since. */
export function whenCatchingUp(callback: () => void): void {
  onCatchingUp = callback;
}

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

const conventions: Middleware = {
  onRequest({ request }) {
    if (!safe.has(request.method) && csrfToken) request.headers.set('X-CSRF-Token', csrfToken);
    return request;
  },
  async onResponse({ response }) {
    if (response.ok) return undefined;
    const problem = await problemOf(response);
    if (isSignedOut(problem)) onSignedOut();
    if (isCatchingUp(problem)) onCatchingUp();
    throw problem;
  },
};

export function isSignedOut(problem: Problem): boolean {
  return ['auth/missing-token', 'auth/invalid-token', 'auth/expired-token'].includes(problem.code);
}

export function isCatchingUp(problem: Problem): boolean {
  return problem.code === 'privacy/replay-pending';
}

async function fetchOrProblem(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Problem(0, {});
  }
}

export const api = createClient<paths>({ baseUrl: '/', credentials: 'same-origin', fetch: fetchOrProblem });
api.use(conventions);

/** The document of an answer; its errors were thrown before. */
export async function answer<T>(pending: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data, response } = await pending;
  if (data === undefined && response.status !== 204) throw new Problem(response.status, { code: 'page/unexpected' });
  return data as T;
}
