// Lists that page by an opaque cursor.
import { keepPreviousData, useInfiniteQuery, type QueryKey } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Schema } from './client';

export interface Chunk<Row> {
  data: Row[];
  page: Schema['Page'];
}

export interface PageOf {
  limit: number;
  cursor?: string;
}

interface Options {
  enabled?: boolean;
  limit?: number;
  refetchInterval?: number | false;
  /** Shows the rows of the question before until the answer to a new one is there. */
  keepBefore?: boolean;
}

export function useList<Row>(queryKey: QueryKey, load: (page: PageOf) => Promise<Chunk<Row>>, options: Options = {}) {
  const limit = options.limit ?? 50;
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => load(pageParam ? { limit, cursor: pageParam } : { limit }),
    initialPageParam: '',
    getNextPageParam: (last) => last.page.next_cursor ?? undefined,
    enabled: options.enabled ?? true,
    refetchInterval: options.refetchInterval ?? false,
    placeholderData: options.keepBefore ? keepPreviousData : undefined,
  });
  const rows = useMemo(() => query.data?.pages.flatMap((chunk) => chunk.data), [query.data]);
  return {
    rows,
    error: query.error,
    refetch: query.refetch,
    isFetching: query.isFetching,
    more: { has: query.hasNextPage, loading: query.isFetchingNextPage, load: () => void query.fetchNextPage() },
  };
}

/** All rows, up to a limit; `onProgress` hears how many there are so far. */
export async function loadAll<Row>(
  load: (page: PageOf) => Promise<Chunk<Row>>,
  most: number,
  onProgress: (rows: number) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const chunk: Chunk<Row> = await load(cursor ? { limit: 500, cursor } : { limit: 500 });
    rows.push(...chunk.data);
    onProgress(rows.length);
    cursor = chunk.page.next_cursor ?? undefined;
  } while (cursor && rows.length < most);
  return rows;
}
