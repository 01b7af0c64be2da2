// What is known of a person: exported by themselves and by others, and erased.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Api } from './kit/api.mjs';
import { eventually, openBrowser, step } from './kit/browser.mjs';
import { examine, reachIn } from './kit/fit.mjs';
import { admin, owner, startService, viewer } from './kit/service.mjs';

let service;
let browser;
let api;
let window;
let page;
let archive;
const path = '/settings/privacy';

before(async () => {
  service = await startService();
  browser = await openBrowser();
  api = await Api.signIn(service, owner);
  archive = await api.archive({ rows: false, audit: true });
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

async function open(person, next = path) {
  return (await browser.window(service)).signIn(person, { next });
}

/** The person of the demo, whose number in `service.emails` is new when they are none of the three. */
async function someone(q) {
  const { data } = await api.get(`/v1/privacy/people?q=${encodeURIComponent(q)}`);
  assert.equal(data.length, 1, q);
  const { email } = data[0];
  if (!service.emails.includes(email)) service.emails.push(email);
  return { ...data[0], number: service.emails.indexOf(email) };
}

/** From now on they can sign in as the three of the demo can. */
async function giveAPassword({ email }) {
  const folder = mkdtempSync(join(tmpdir(), 'oa-password-'));
  const file = join(folder, 'password');
  writeFileSync(file, `${service.password}\n`, { mode: 0o600 });
  await service.command('user', 'set-password', email, '--tenant', service.organisation, '--password-file', file, '--activate');
  rmSync(folder, { recursive: true });
}

async function downloaded(where, clicked) {
  const [download] = await Promise.all([where.waitForEvent('download'), clicked()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

async function fit(where, name) {
  assert.deepEqual(await examine(where, `privacy-${name}`), []);
}

const nothing = async (where, role, name) => assert.equal(await where.page.getByRole(role, { name }).count(), 0, name);
const ready = (where, label) => where.page.getByRole('grid', { name: label, exact: true }).getByRole('row').filter({ hasText: 'Ready' });

step('a Viewer exports their own data, whole, and nobody else’s', async () => {
  const one = await open(viewer);
  await one.sees('heading', 'No export yet');
  for (const name of ['Data of somebody else', 'Erasures', 'How erasures are done']) await nothing(one, 'heading', name);
  await one.button('What is inside');
  await one.page.getByText('never the secrets themselves').waitFor();
  await fit(one, 'viewer');
  await one.button('Export my data');
  await ready(one, 'Your exports').waitFor();
  const { bytes } = await downloaded(one.page, () => ready(one, 'Your exports').getByRole('link', { name: 'Download' }).click());
  const bundle = JSON.parse(bytes);
  const own = await Api.signIn(service, viewer);
  const me = await own.get('/v1/me');
  assert.deepEqual([bundle.format, bundle.format_version], ['oa-personal-data', '1.0']);
  assert.equal(bundle.profile.email, me.user.email);
  assert.equal(bundle.person, me.user.id);
  for (const [section, count] of Object.entries(bundle.counts)) assert.equal(Array.isArray(bundle[section]) ? bundle[section].length : 1, count, section);
  assert.ok(bundle.counts.sessions > 0 && bundle.counts.activity > 0 && bundle.counts.memberships > 0);
  const listed = async () => (await own.get('/v1/privacy/exports')).data;
  assert.equal((await listed())[0].digest, createHash('sha256').update(bytes).digest('hex'));
  await eventually(async () => (await listed())[0].downloads === 1);
  await fit(one, 'export');

  const other = await someone('User 10');
  for (const [method, url, body] of [
    ['POST', '/v1/privacy/exports', { user_id: other.id }],
    ['GET', `/v1/privacy/exports?user_id=${other.id}`],
    ['GET', '/v1/privacy/people'],
    ['GET', '/v1/privacy/erasures'],
    ['POST', '/v1/privacy/erasures', { user_id: other.id, confirm: other.email }],
  ])
    await assert.rejects(own.send(method, url, body), /403 .*auth\/permission-denied/, `${method} ${url}`);
  await one.page.goto(`${path}/erase`);
  await one.sees('heading', 'There is no such page');
  await one.close();
});

step('an Admin exports anybody of the organisation, and erases nobody', async () => {
  const gone = await someone('User 12');
  const one = await open(admin);
  await one.page.getByLabel('Whose data').fill('uSER 12');
  const row = one.page.getByRole('grid', { name: 'People' }).getByRole('row').filter({ hasText: gone.email });
  await row.getByText('Inactive').waitFor();
  await eventually(async () => (await one.page.getByRole('grid', { name: 'People' }).getByRole('row').count()) === 2); // and the head
  await row.getByRole('button', { name: `Export the data of ${gone.name}` }).click();
  await one.page.getByRole('dialog').getByText(gone.email).waitFor();
  await one.page.getByRole('dialog').getByRole('button', { name: 'Export the data' }).click();
  await ready(one, 'Exports of others').waitFor();
  const { bytes } = await downloaded(one.page, () => ready(one, 'Exports of others').getByRole('link', { name: `Download the export of ${gone.name}` }).click());
  assert.equal(JSON.parse(bytes).profile.email, gone.email);
  await fit(one, 'admin');
  for (const name of ['Erasures', 'How erasures are done']) await nothing(one, 'heading', name);
  await one.page.goto(`${path}/erase`);
  await one.sees('heading', 'There is no such page');
  const own = await Api.signIn(service, admin);
  await assert.rejects(own.post('/v1/privacy/erasures', { user_id: gone.id, confirm: gone.email }), /403 .*auth\/permission-denied/);
  await one.close();
});

step('an Owner says how erasures are done', async () => {
  window = await open(owner);
  page = window.page;
  await window.sees('heading', 'Nobody was erased');
  await page.getByLabel('Days to wait').fill('31');
  const save = page.getByRole('button', { name: 'Save' });
  await eventually(() => save.isDisabled());
  await page.getByLabel('Days to wait').fill('7');
  await save.click();
  await page.getByText('Saved').waitFor();
  assert.deepEqual(await api.get('/v1/privacy/settings'), { archives: 'list', cooling_off_days: 7 });
  await page.reload();
  await page.getByLabel('Days to wait').waitFor();
  assert.equal(await page.getByLabel('Days to wait').inputValue(), '7');
});

step('an erasure waits, without a mouse, and is cancelled while it does', async () => {
  const person = await someone('User 10');
  await giveAPassword(person);
  const { keyboard } = page;
  const reach = reachIn(window);
  await page.goto(path);
  await reach('button', 'Erase a person…');
  await keyboard.press('Enter');
  await window.sees('heading', 'Erase a person');
  await reach('textbox', 'Who is to be erased');
  await keyboard.type('user 10');
  await eventually(async () => (await page.getByRole('grid', { name: 'People' }).getByRole('row').count()) === 2);
  await reach('button', `See what erasing ${person.name} would do`);
  await keyboard.press('Enter');
  await window.sees('heading', /^What goes of/);
  await reach('button', `Erase ${person.name}…`);
  await keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: `Erase ${person.name} in 7 days` });
  await confirm.waitFor();
  assert.equal(await confirm.isDisabled(), true);
  await reach('textbox', `Type “${person.email}” to go on`);
  await keyboard.type(`${person.email}x`);
  assert.equal(await confirm.isDisabled(), true);
  await fit(window, 'confirm');
  await keyboard.press('Backspace');
  await keyboard.press('Enter');
  await window.sees('heading', new RegExp(`${person.name} is erased on`));
  await Api.signIn(service, person.number); // as before
  const [waiting] = (await api.get('/v1/privacy/erasures')).data;
  assert.deepEqual([waiting.state, waiting.user.id], ['scheduled', person.id]);
  await page.goto(`${path}/erase?person=${person.id}`);
  await page.getByText('This person is to be erased already.').waitFor();
  await nothing(window, 'button', /^Erase /);
  await page.getByRole('link', { name: 'See when, or cancel it' }).click();
  await fit(window, 'waiting');
  await reach('button', 'Cancel the erasure…');
  await keyboard.press('Enter');
  await reach('button', 'Cancel the erasure');
  await keyboard.press('Enter');
  await window.sees('heading', new RegExp(`The erasure of ${person.name} was cancelled`));
  assert.equal((await api.get(`/v1/privacy/erasures/${waiting.id}`)).state, 'cancelled');
  assert.equal((await someone('User 10')).erased, false);
});

step('the last Owner stays', async () => {
  const self = await someone('User 01');
  await page.goto(`${path}/erase?person=${self.id}`);
  await page.getByText('This is the last Owner who can sign in. They cannot be erased.').waitFor();
  await nothing(window, 'button', /^Erase /);
  await assert.rejects(api.post('/v1/privacy/erasures', { user_id: self.id, confirm: self.email }), /409 .*privacy\/last-owner/);
});

step('an erasure is seen before, confirmed by the address, and done at once', async () => {
  const [{ created_by: creator }] = await api.reports('Sales');
  const person = await someone(creator.name);
  await giveAPassword(person);
  const reports = (await api.reports('Sales')).filter(({ created_by: by }) => by?.id === person.id).length;
  const two = await open(person.number, '/workspaces');
  await two.sees('link', 'Sales');
  await api.post('/v1/privacy/exports', { user_id: person.id }).then((job) => api.over(job));

  await page.goto(`${path}/erase?person=${person.id}`);
  await window.sees('heading', new RegExp(`^What goes of ${person.name}`));
  await page.getByText('Sessions ended').waitFor();
  await page.getByText(/^What they made: \d+ reports?, /).waitFor();
  await page.getByRole('grid', { name: 'Archives that hold them' }).getByRole('link', { name: archive.name }).waitFor();
  await fit(window, 'preview');
  await page.getByLabel('Now', { exact: true }).check();
  await window.button(`Erase ${person.name}…`);
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: `Erase ${person.name} now` });
  await dialog.getByRole('textbox').fill(service.emails[owner]);
  assert.equal(await confirm.isDisabled(), true);
  await dialog.getByRole('textbox').fill(person.email);
  await confirm.click();
  await window.sees('heading', /The person was erased on/);
  await fit(window, 'done');

  two.expect(401, /\/v1\//);
  await two.page.getByRole('link', { name: 'Sales' }).click();
  await two.sees('heading', 'Sign in to OneAnalytics');
  await assert.rejects(Api.signIn(service, person.number), /401 .*auth\/sign-in-refused/);
  await two.close();

  const { bytes } = await downloaded(page, () => page.getByRole('link', { name: /^Download the certificate/ }).click());
  const certificate = JSON.parse(bytes);
  assert.match(certificate.statement.format, /^oa-erasure-certificate:/);
  assert.ok(certificate.signature.length > 0 && certificate.public_key.length > 0);
  assert.ok(bytes.includes(person.id) && !bytes.includes(person.email) && !bytes.includes(person.name));

  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Workspaces' }).click();
  await page.getByRole('link', { name: 'Sales' }).click();
  const reportsOfErased = page.getByRole('grid', { name: 'Reports' }).getByRole('row').filter({ hasText: 'Erased user' });
  await reportsOfErased.first().waitFor();
  assert.equal(await reportsOfErased.count(), reports);
  assert.equal(await page.getByText(person.name).count(), 0);
});

step('nothing of them is in lists, the audit log, or an export', async () => {
  await page.goto(path);
  await page.getByRole('grid', { name: 'Erasures' }).getByRole('link', { name: 'Erased user' }).waitFor();
  const gone = page.getByRole('grid', { name: 'Exports of others' }).getByRole('row').filter({ hasText: 'Not offered any more' });
  await gone.getByText('Erased user', { exact: true }).waitFor();
  assert.equal(await gone.getByRole('link', { name: /^Download/ }).count(), 0);
  await fit(window, 'owner');
  await page.goto('/settings/audit');
  await page.getByRole('grid', { name: 'Audit log' }).getByText('Erased user', { exact: true }).first().waitFor();
  await window.button('Check the whole chain');
  await window.sees('heading', /The chain is whole: [\d,]+ entries/);
});

step('nothing went wrong in the pages', () => window.close());
