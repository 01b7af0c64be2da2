// Continuous backup as the pages speak of it.
import { useQuery } from '@tanstack/react-query';
import { answer, api, type Schema } from '../api/client';
import { duration } from '../design/format';

export type Continuity = Schema['Continuity'];
export type Alarm = Continuity['alarms'][number];

export function useContinuity() {
  return useQuery({
    queryKey: ['continuity'],
    queryFn: () => answer(api.GET('/v1/continuity')),
    refetchInterval: 15_000,
  });
}

/** "less than a second of work", "up to 4 s of work". */
export function lossText(seconds: number): string {
  return seconds < 1 ? 'less than a second of work' : `up to ${duration(Math.ceil(seconds))} of work`;
}

interface Words {
  what: string;
  means: string;
}

const alarms: Record<Alarm['code'], Words> = {
  off: { what: 'Continuous backup is off.', means: 'Only archives can bring something back.' },
  'receiver-down': {
    what: 'What changes is not being copied second by second.',
    means: 'It is still copied about every minute; more would be lost than usual.',
  },
  'receiver-lag': { what: 'The copy is behind.', means: 'More of the latest work would be lost than usual.' },
  'wal-gap': {
    what: 'A piece of the record of changes is missing.',
    means: 'Some moments cannot be gone back to; the next full copy closes the gap.',
  },
  'archive-failing': {
    what: 'Changes cannot be put into the store of backups.',
    means: 'They are kept on the server until they can.',
  },
  'slot-stalled': { what: 'The copy has stopped moving.', means: 'More would be lost with every minute.' },
  'disk-low': { what: 'The disk for backups is nearly full.', means: 'When it is full, nothing more can be kept.' },
  'backup-overdue': {
    what: 'The last full copy is older than it should be.',
    means: 'A restore of everything would take longer.',
  },
  'no-verified-restore': {
    what: 'It was not proven lately that a restore works.',
    means: 'The backups are there, but nobody has tried them.',
  },
  'repository-damaged': {
    what: 'The store of backups is damaged.',
    means: 'Some moments may not come back. Make an archive now.',
  },
  'repository-unavailable': {
    what: 'The store of backups cannot be reached.',
    means: 'Nothing can be gone back to until it is there again.',
  },
  'rpo-at-risk': { what: 'More would be lost than was promised.', means: 'The copy has to catch up.' },
  'rto-at-risk': {
    what: 'A restore of everything would take longer than was promised.',
    means: 'A new full copy makes it faster.',
  },
  'no-leader': { what: 'The database is changing over.', means: 'Nothing can be changed until it has.' },
  'database-away': { what: 'The database is not there.', means: 'Nothing can be changed until it is.' },
  'archive-command': {
    what: 'Changes do not go to the store of backups.',
    means: 'Only the copy made second by second has them.',
  },
  'slot-missing': {
    what: 'The copy made second by second may miss changes.',
    means: 'They still reach the store of backups about every minute.',
  },
};

export function alarmWords(alarm: Alarm): Words {
  return alarms[alarm.code] ?? { what: alarm.message, means: '' };
}
