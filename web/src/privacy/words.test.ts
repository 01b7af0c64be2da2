import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorName } from '../design/people';
import { assetsText, effectFacts, sectionsText } from './words';

test('effects are told in words, those without number left out', () => {
  assert.deepEqual(effectFacts({ tokens: 2, sessions: 1200, grants: 0, profile: 1, audit_events: 7 }), [
    ['Name, address, attributes and password blanked', 'yes'],
    ['Sessions ended', '1,200'],
    ['API tokens revoked', '2'],
  ]);
});

test('what the server has anew is not lost', () => {
  assert.deepEqual(effectFacts({ pager_numbers: 3 }), [['Pager numbers', '3']]);
  assert.equal(assetsText({ dash_boards: 2, reports: 1 }), '1 report, 2 dash boards');
  assert.equal(sectionsText({ profile: 1, pager_numbers: 3 }), '1 profile, 3 pager numbers');
});

test('what was not made is not told', () => {
  assert.equal(assetsText({ reports: 0 }), '');
  assert.equal(sectionsText({ tokens: 0, activity: 1, assets: 2 }), '1 entry of activity, 2 assets');
});

test('an erased person has no other name', () => {
  assert.equal(actorName({ name: 'redacted-00ff', email: null }), 'Erased user');
  assert.equal(actorName({ name: null, email: `redacted-${'0a'.repeat(16)}` }), 'Erased user');
  assert.equal(actorName({ id: 'some' }), 'Erased user');
  assert.equal(actorName({}), 'Somebody unknown');
  assert.equal(actorName({ name: '', email: 'ada@example.com' }), 'ada@example.com');
});
