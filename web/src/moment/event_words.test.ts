import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentenceOf, takesAway, type Event } from './event_words';

const event = (action: string, more: object = {}) =>
  ({
    action,
    actor: { type: 'user', name: 'Ann Lee' },
    resource: { type: 'report', id: 'r1' },
    detail: {},
    ...more,
  }) as Event;
const names = new Map([['r1', 'Sales']]);

test('an entry is a sentence with the name that the thing had', () => {
  assert.equal(
    sentenceOf(event('report.delete', { detail: { name: 'Old' } }), names),
    'Ann Lee deleted the report “Old”',
  );
  assert.equal(sentenceOf(event('report.update'), names), 'Ann Lee changed the report “Sales”');
  assert.equal(sentenceOf(event('report.update'), new Map()), 'Ann Lee changed the report');
  assert.equal(sentenceOf(event('backup.restore.apply'), names), 'Ann Lee restored from an archive');
  assert.equal(sentenceOf(event('thing.new_kind'), names), 'Ann Lee thing new kind (report)');
});

test('whoever did it has a name', () => {
  const by = (actor: Event['actor']) => sentenceOf(event('report.delete', { actor }), new Map());
  assert.equal(by({ type: 'operator' }), 'The operator deleted the report');
  assert.equal(by({ type: 'system' }), 'The service deleted the report');
  assert.equal(by({ type: 'user', name: null, email: 'ann@example' }), 'ann@example deleted the report');
  assert.equal(by({ type: 'user', id: 'x', name: null, email: null }), 'Erased user deleted the report');
});

test('what takes something away stands out', () => {
  const actions = ['report.delete', 'sharing.grant.remove', 'report.update', 'backup.archive.delete'];
  assert.deepEqual(
    actions.map((action) => takesAway(event(action))),
    [true, true, false, false],
  );
});
