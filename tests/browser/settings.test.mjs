// Schedule, keys, audit log and tokens.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { Api } from './kit/api.mjs';
import { eventually, openBrowser, step } from './kit/browser.mjs';
import { owner, startService } from './kit/service.mjs';

let service;
let browser;
let window;
let page;
let api;

before(async () => {
  service = await startService();
  browser = await openBrowser();
  window = await browser.window(service);
  page = window.page;
  api = await Api.signIn(service, owner);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const nav = (name) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();

step('a schedule is kept', async () => {
  await window.signIn(owner, { next: '/settings/backup' });
  await page.getByLabel('How often').selectOption({ label: 'Every day' });
  await page.getByLabel('Days', { exact: true }).fill('45');
  await page.getByLabel('Rows of imported datasets').check();
  await window.button('Save');
  await page.getByText('Saved').waitFor();
  await page.getByText(/^Next: /).waitFor();
  await page.reload();
  await page.getByText(/^Next: /).waitFor();
  const { frequency, keep_days: days, rows, audit } = await api.get('/v1/backup/schedule');
  assert.deepEqual({ frequency, days, rows, audit }, { frequency: 'daily', days: 45, rows: true, audit: false });
  await page.getByLabel('How often').selectOption({ label: 'Never' });
  await window.button('Save');
  await page.getByText('Saved').waitFor();
  assert.equal((await api.get('/v1/backup/schedule')).frequency, 'off');
});

step('an organisation takes part in recovery drills', async () => {
  const takesPart = page.getByRole('switch', { name: 'Take part in recovery drills' });
  assert.equal(await takesPart.isChecked(), false);
  await page.getByText('Take part in recovery drills').click();
  await page.getByText(/ agreed on /).waitFor();
  assert.equal((await api.get('/v1/backup/drills')).takes_part, true);
  await page.reload();
  await page.getByText(/ agreed on /).waitFor();
  await page.getByText('Take part in recovery drills').click();
  await page.getByText(/ declined on /).waitFor();
  assert.equal((await api.get('/v1/backup/drills')).takes_part, false);
});

step('the signing key is downloaded, rotated, and the old one revoked', async () => {
  await nav('Keys');
  const own = page.getByRole('grid', { name: 'Own keys' });
  await own.getByText('Signs new archives').waitFor();
  const { data: [key] } = await api.get('/v1/keys');
  const [download] = await Promise.all([page.waitForEvent('download'), own.getByRole('link', { name: `Download public key ${key.key_id}` }).click()]);
  assert.match(readFileSync(await download.path(), 'utf8'), new RegExp(`^untrusted comment: .*\\n${key.public_key.replaceAll(/[+/]/g, '\\$&')}\\n$`));
  await window.button('Rotate the key…');
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate the key' }).click();
  await own.getByText('Retired, still trusted').waitFor();
  await window.button(`Revoke ${key.key_id}`);
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
  await own.getByText('Revoked', { exact: true }).waitFor();
  assert.deepEqual((await api.get('/v1/keys')).data.map(({ state }) => state).sort(), ['revoked', 'signs']);
});

step('a signer whose fingerprint does not fit is refused', async () => {
  const publicKey = readFileSync(new URL('../golden/1.1/tenant.pub', import.meta.url), 'utf8');
  await window.button('Accept a signer…');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Public key').fill(publicKey.trim().split('\n').at(-1));
  await dialog.getByLabel('Fingerprint, as they told it').fill('0123 '.repeat(16));
  window.expect(400, /\/v1\/keys$/);
  await dialog.getByRole('button', { name: 'Accept signer' }).click();
  await dialog.locator('.oa-error').getByText(/The signer was not accepted/).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

step('the audit log is filtered, and its chain checked', async () => {
  await nav('Audit');
  const log = page.getByRole('grid', { name: 'Audit log' });
  await log.getByText('backup.key.rotate').or(log.getByText(/rotate/)).first().waitFor();
  await page.getByLabel('Action begins with').fill('auth.');
  await window.button('Filter');
  await page.waitForURL(/action=auth\./);
  const all = async () => {
    const actions = await log.locator('tbody code').allTextContents(); // until the answer comes, of what was shown before
    return actions.length > 0 && actions.every((action) => action.startsWith('auth.'));
  };
  await eventually(all);
  await window.button(/^Details of auth\.login\.success/);
  await page.getByRole('dialog').getByText('"trace_id"').waitFor();
  await page.getByRole('dialog').getByText('Close', { exact: true }).click();
  await window.button('Check the whole chain');
  await window.sees('heading', /The chain is whole: [\d,]+ entries/);
  await window.screenshot('audit-chain-1280');
});

step('a token is shown once, works, and is revoked', async () => {
  await nav('API tokens');
  await window.sees('heading', 'No token');
  await window.button('Create token');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Nightly archive');
  await dialog.getByLabel(/^reports:/).check();
  await dialog.getByRole('button', { name: 'Create token' }).click();
  const token = await dialog.getByLabel('Token', { exact: true }).inputValue();
  assert.match(token, /^oab_/);
  const asked = () => fetch(`${service.address.replace('localhost', '127.0.0.1')}/v1/workspaces`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await asked()).status, 200);
  await dialog.getByRole('button', { name: 'I have copied it' }).click();
  await page.getByText(/^Works until/).waitFor();
  assert.equal(await page.getByText(token).count(), 0);
  await window.button('Revoke Nightly archive');
  await dialog.getByRole('button', { name: 'Revoke token' }).click();
  await page.getByText(/^Revoked/).waitFor();
  assert.equal((await asked()).status, 401);
});

step('a dataset is refreshed, paused and resumed', async () => {
  await nav('Workspaces');
  await page.getByRole('link', { name: 'Sales' }).click();
  await page.getByRole('tab', { name: 'Datasets' }).click();
  const row = page.getByRole('row').filter({ hasText: 'products' });
  await row.getByText('Ready').waitFor();
  await window.button('Refresh products');
  await row.getByText('Ready').waitFor();
  await window.button('Pause products');
  await row.getByText('Paused').waitFor();
  await window.button('Resume products');
  await row.getByText('Ready').waitFor();
});

step('nothing went wrong in the pages', () => window.close());
