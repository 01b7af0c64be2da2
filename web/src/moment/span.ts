// The part of the window that is drawn, its ticks, and marks that lie so close that they are one.

export type Zoom = 'hour' | 'day' | 'week' | 'all';

export const zooms: [Zoom, string][] = [
  ['hour', '1 hour'],
  ['day', '1 day'],
  ['week', '1 week'],
  ['all', 'Everything'],
];

const minute = 60_000;
const lengths: Record<Exclude<Zoom, 'all'>, number> = { hour: 60 * minute, day: 1440 * minute, week: 10_080 * minute };

/** Milliseconds; `live` ends at the present moment, whenever that is. */
export interface Span {
  from: number;
  to: number;
  live: boolean;
}

/** The span of that length whose end is `end`, within the window. */
export function spanOf(zoom: Zoom, end: number, earliest: number, now: number): Span {
  const length = zoom === 'all' ? now - earliest : lengths[zoom];
  const to = Math.min(now, Math.max(end, earliest + Math.min(length, now - earliest)));
  return { from: Math.max(earliest, to - length), to, live: to >= now };
}

export function lengthOf(zoom: Zoom, earliest: number, now: number): number {
  return zoom === 'all' ? now - earliest : lengths[zoom];
}

export function placeOf(time: number, span: Span): number {
  return (time - span.from) / Math.max(1, span.to - span.from);
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 10_080, 20_160, 43_200].map(
  (minutes) => minutes * minute,
);
const seconds = [1, 2, 5, 10, 15, 30].map((value) => value * 1000);

/** At most `most` moments at whole units of the local clock. */
export function ticksOf(span: Span, most: number): { times: number[]; step: number } {
  const length = span.to - span.from;
  const step = [...seconds, ...steps].find((each) => length / each <= most) ?? length / most;
  const offset = new Date(span.from).getTimezoneOffset() * minute;
  const times = [];
  for (let time = Math.ceil((span.from - offset) / step) * step + offset; time <= span.to; time += step)
    times.push(time);
  return { times, step };
}

export interface Mark<Event> {
  place: number; // 0 to 1, of the first
  events: Event[]; // oldest first
}

/** Events within `gap` (a part of the whole) of the first of a mark are one mark. `events` are in any order. */
export function marksOf<Event extends { ts: string }>(events: Event[], span: Span, gap: number): Mark<Event>[] {
  const marks: Mark<Event>[] = [];
  const sorted = events
    .map((event) => ({ event, place: placeOf(new Date(event.ts).getTime(), span) }))
    .filter(({ place }) => place >= 0 && place <= 1)
    .sort((a, b) => a.place - b.place);
  for (const { event, place } of sorted) {
    const last = marks.at(-1);
    if (last && place - last.place < gap) last.events.push(event);
    else marks.push({ place, events: [event] });
  }
  return marks;
}

/** What a click on a mark means: the only event, or the only one of those that matter; null: look closer. */
export function pickOf<Event extends { ts: string }>(
  mark: Mark<Event>,
  matters: (event: Event) => boolean,
): Event | null {
  if (mark.events.length === 1) return mark.events[0] ?? null;
  const those = mark.events.filter(matters);
  return those.length === 1 ? (those[0] ?? null) : null;
}

/** The span that shows a mark's events apart; null when they are within a second. */
export function closer<Event extends { ts: string }>(mark: Mark<Event>, span: Span): Span | null {
  const times = mark.events.map(({ ts }) => new Date(ts).getTime());
  const from = Math.min(...times);
  const to = Math.max(...times);
  if (to - from < 1000) return null;
  const margin = Math.max(5000, (to - from) / 4);
  return { from: Math.max(span.from, from - margin), to: Math.min(span.to, to + margin), live: false };
}

/** For a field of type datetime-local, in the browser's time zone, to the second. */
export function fieldText(time: number): string {
  const local = new Date(time - new Date(time).getTimezoneOffset() * minute);
  return local.toISOString().slice(0, 19);
}

/** NaN when it is no time. */
export function timeOfField(text: string): number {
  return new Date(text).getTime();
}
