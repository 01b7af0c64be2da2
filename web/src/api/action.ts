// What a person starts: one Idempotency-Key for each action. When no answer came, trying the same again sends
// the same key, so that the server does it once; after an answer the next try is another action.
import { useMutation, type UseMutationResult } from '@tanstack/react-query';
import { useRef } from 'react';
import { asProblem } from './problem';

interface Attempt {
  key: string;
  input: string;
}

export function useAction<Input, Output>(
  send: (input: Input, headers: { 'Idempotency-Key': string }) => Promise<Output>,
  onDone?: (output: Output, input: Input) => void,
): UseMutationResult<Output, Error, Input> {
  const unanswered = useRef<Attempt | null>(null);
  return useMutation({
    mutationFn: async (input: Input) => {
      const text = JSON.stringify(input ?? null);
      const attempt =
        unanswered.current?.input === text ? unanswered.current : { key: crypto.randomUUID(), input: text };
      unanswered.current = attempt;
      try {
        const output = await send(input, { 'Idempotency-Key': attempt.key });
        unanswered.current = null;
        return output;
      } catch (error) {
        if (asProblem(error).answered) unanswered.current = null;
        throw error;
      }
    },
    onSuccess: (output, input) => onDone?.(output, input),
  });
}
