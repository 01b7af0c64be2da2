// Who is signed in.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { answer, api, isSignedOut, keepCsrfToken, type Schema } from './client';
import { asProblem } from './problem';

export type Me = Schema['Me'];

export const meKey = ['me'];

/** null: nobody. */
export function useMeQuery(enabled: boolean) {
  return useQuery<Me | null>({
    queryKey: meKey,
    queryFn: async () => {
      try {
        const me = await answer(api.GET('/v1/me'));
        keepCsrfToken(me.csrf_token);
        return me;
      } catch (error) {
        if (isSignedOut(asProblem(error))) return null;
        throw error;
      }
    },
    enabled,
    staleTime: 60_000,
  });
}

export const MeContext = createContext<Me | null>(null);

/** Inside of the pages that need somebody signed in. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error('nobody is signed in');
  return me;
}

/** Forgets everything that was loaded for whoever was signed in. */
export function useForget() {
  const client = useQueryClient();
  return () => {
    keepCsrfToken(null);
    client.clear();
    client.setQueryData(meKey, null);
  };
}

export function nameOf(me: Me): string {
  return `${me.user.first_name} ${me.user.last_name}`.trim() || me.user.email;
}
