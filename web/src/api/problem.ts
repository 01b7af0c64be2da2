// An error as the API reports it (RFC 7807), or as the browser does when no answer came.

export interface ProblemDocument {
  title?: string;
  status?: number;
  detail?: string;
  hint?: string;
  code?: string;
  trace_id?: string;
  doc_url?: string;
}

export class Problem extends Error {
  readonly code: string;
  readonly status: number; // 0: no answer
  readonly detail: string;
  readonly hint: string;
  readonly traceId: string;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, document: ProblemDocument, retryAfter: string | null = null) {
    super(document.detail || document.title || 'Something went wrong.');
    this.name = 'Problem';
    this.status = status;
    this.code = document.code ?? (status === 0 ? 'network/no-answer' : `http/${status}`);
    this.detail = document.detail ?? '';
    this.hint = document.hint ?? '';
    this.traceId = document.trace_id ?? '';
    const seconds = Number(retryAfter ?? '');
    this.retryAfterSeconds = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  }

  get answered(): boolean {
    return this.status !== 0;
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  let document: ProblemDocument = {};
  try {
    const value: unknown = await response.json();
    if (typeof value === 'object' && value !== null) document = value as ProblemDocument;
  } catch {
    // Not JSON: a proxy in between answered.
  }
  return new Problem(response.status, document, response.headers.get('Retry-After'));
}

/** Anything that was thrown, as a Problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, { code: 'page/unexpected', detail: error instanceof Error ? error.message : String(error) });
}
