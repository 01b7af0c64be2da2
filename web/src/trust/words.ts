// What a drill did, in words.
import type { Schema } from '../api/client';
import { duration } from '../design/format';

export type Report = Schema['TrustReport'];
export type Distribution = NonNullable<Schema['Distribution']>;

export const outcomeWords = {
  validating: 'Under way',
  successful: 'Successful',
  failed: 'Failed',
  timed_out: 'Took too long',
};

const stepWords: Record<string, string> = {
  'data-loss': 'Wait until a commit is safe',
  moment: 'Choose a moment of the window',
  archive: 'Pick an archive and verify every signature in it',
  'recovery-tenant': 'Make a recovery tenant with a key of its own',
  restore: 'Restore',
  check: 'Check every audit chain, and that no rows are missing',
  history: 'Compare the history with that of the live cell',
  erasures: 'Keep the erased erased',
  'sign-in': 'Sign in',
  reports: 'Open reports',
  'recovery-time': 'Hold the promised time',
  compare: 'Compare with what was archived',
  refresh: 'Refresh datasets from their originals',
  'archive-again': 'Archive, download and verify that',
  export: 'Export personal data',
  'take-down': 'Destroy the copy',
};

/** In the order in which they are taken; a step of a later version comes last, by its own name. */
export function stepsIn<Value>(steps: Record<string, Value>): { name: string; label: string; value: Value }[] {
  const known = Object.keys(stepWords).filter((name) => name in steps);
  const others = Object.keys(steps).filter((name) => !(name in stepWords));
  return [...known, ...others].map((name) => ({
    name,
    label: stepWords[name] ?? name,
    value: steps[name] as Value,
  }));
}

/** To a tenth of a second below a minute. */
export function seconds(value: number): string {
  return value < 60 ? `${value.toFixed(1)} s` : duration(value);
}

/** "median 0.9 s, at most 1.2 s, of 4". */
export function distribution(values: Distribution | null): string {
  if (values === null) return 'not measured yet';
  if (values.count === 1) return `${seconds(values.max)}, measured once`;
  return `median ${seconds(values.median)}, nine of ten within ${seconds(values.p90)}, at most ${seconds(values.max)}, of ${values.count}`;
}
