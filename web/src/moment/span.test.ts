import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closer, fieldText, marksOf, pickOf, spanOf, ticksOf, timeOfField } from './span';

const hour = 3_600_000;
const now = Date.parse('2026-11-23T13:30:00Z');
const earliest = now - 30 * 24 * hour;
const at = (text: string, kind = 'change') => ({ ts: `2026-11-23T${text}Z`, kind });
const deleted = ({ kind }: { kind: string }) => kind === 'delete';

test('a span stays within the window', () => {
  assert.deepEqual(spanOf('hour', now, earliest, now), { from: now - hour, to: now, live: true });
  assert.deepEqual(spanOf('day', now + hour, earliest, now), { from: now - 24 * hour, to: now, live: true });
  assert.deepEqual(spanOf('hour', earliest, earliest, now), { from: earliest, to: earliest + hour, live: false });
  assert.deepEqual(spanOf('all', earliest, earliest, now), { from: earliest, to: now, live: true });
  const young = now - 10 * 60_000;
  assert.deepEqual(spanOf('week', young, young, now), { from: young, to: now, live: true });
});

test('ticks are at whole units and few', () => {
  for (const zoom of ['hour', 'day', 'week', 'all'] as const) {
    const { times, step } = ticksOf(spanOf(zoom, now, earliest, now), 8);
    assert.ok(times.length >= 2 && times.length <= 9, `${zoom}: ${times.length}`);
    for (const time of times) assert.equal(time % step, 0);
  }
  assert.deepEqual(ticksOf({ from: now, to: now + 10_000, live: false }, 5).step, 2000);
});

test('marks that lie close are one, and those outside of the span are none', () => {
  const span = spanOf('hour', now, earliest, now);
  const events = [at('13:20:00'), at('13:00:05', 'delete'), at('13:00:00'), at('12:29:59'), at('13:30:00')];
  const marks = marksOf(events, span, 0.01);
  assert.deepEqual(
    marks.map((mark) => mark.events.map(({ ts }) => ts.slice(11, 19))),
    [['13:00:00', '13:00:05'], ['13:20:00'], ['13:30:00']],
  );
});

test('a click on a mark means the one event, or the one that matters, or a closer look', () => {
  const mark = (...events: ReturnType<typeof at>[]) => ({ place: 0, events });
  assert.equal(pickOf(mark(at('13:00:00')), deleted)?.ts, '2026-11-23T13:00:00Z');
  assert.equal(pickOf(mark(at('13:00:00'), at('13:00:05', 'delete')), deleted)?.kind, 'delete');
  assert.equal(pickOf(mark(at('13:00:00', 'delete'), at('13:00:05', 'delete')), deleted), null);
  assert.equal(pickOf(mark(at('13:00:00'), at('13:00:05')), deleted), null);
  const span = spanOf('day', now, earliest, now);
  const near = closer(mark(at('13:00:00'), at('13:00:40')), span);
  assert.deepEqual(near && [near.to - near.from, near.live], [60_000, false]);
  assert.equal(closer(mark(at('13:00:00'), at('13:00:00')), span), null);
});

test('a moment in a field is the local one, to the second', () => {
  const text = fieldText(now);
  assert.equal(timeOfField(text), now);
  assert.equal(text.length, 19);
  assert.ok(Number.isNaN(timeOfField('')));
});
