// Every page: nothing that axe finds serious, light and dark; nothing wider than a telephone; the main job by keyboard.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Api } from './kit/api.mjs';
import { eventually, openBrowser, step } from './kit/browser.mjs';
import { examine, reachIn } from './kit/fit.mjs';
import { owner, startService } from './kit/service.mjs';

let service;
let browser;
let api;
let pages; // [name, path, what is there when it is whole]
const lost = 'orders overview 3';

before(async () => {
  service = await startService();
  browser = await openBrowser();
  api = await Api.signIn(service, owner);
  pages = await prepare();
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

/** An archive, a report that is lost, a restore that is planned and one that was applied. */
async function prepare() {
  await eventually(async () => (await api.get('/v1/continuity')).earliest !== null); // so that the deletions are within
  const archive = await api.archive({ rows: true, audit: true });
  const workspace = await api.workspace('Sales');
  const report = await api.report('Sales', 'orders overview 1');
  const gone = [await api.report('Sales', lost), await api.report('Sales', 'orders overview 2')];
  for (const { id } of gone) await api.send('DELETE', `/v1/reports/${id}`);
  const plan = async (assets, more) => (await api.over(await api.post('/v1/restores', { archive_id: archive.id, assets, ...more }))).result.restore_id;
  const applied = await plan([{ kind: 'report', id: gone[1].id }]);
  await api.over(await api.post(`/v1/restores/${applied}/apply`, { plan_hash: (await api.get(`/v1/restores/${applied}`)).plan_hash }));
  const planned = await plan([{ kind: 'workspace', id: workspace.id }], { mode: 'fork' });
  await api.post('/v1/tokens', { name: 'Nightly archive', scopes: ['backup', 'read'] });
  const named = Buffer.from('Quarter.oa-archive').toString('base64');
  await api.send('POST', '/v1/uploads', undefined, { 'Tus-Resumable': '1.0.0', 'Upload-Length': '5000000', 'Upload-Metadata': `filename ${named}` });
  const backup = '/settings/backup';
  return [
    ['workspaces', '/workspaces', ['link', 'Sales']],
    ['reports', `/workspaces/${workspace.id}`, ['link', 'orders overview 1']],
    ['datasets', `/workspaces/${workspace.id}/datasets`, ['button', 'Refresh products']],
    ['report', `/reports/${report.id}`, ['img', /bar chart/]],
    ['backup', backup, ['heading', 'Automatic archives']],
    ['moment', `${backup}/moment`, ['button', /^Just before this: Demo User 01 deleted the report/]],
    ['archive', `${backup}/archives/${archive.id}`, ['button', `Restore from ${archive.name}`]],
    ['choose', `${backup}/archives/${archive.id}/restore`, ['button', 'Select the deleted one']],
    ['plan', `${backup}/restores/${planned}`, ['button', /^Restore \d+ assets in Demo$/]],
    ['result', `${backup}/restores/${applied}`, ['heading', /Done: 1 brought back/]],
    ['restores', `${backup}/restores`, ['button', 'Undo…']],
    ['upload', `${backup}/upload`, ['button', 'Discard Quarter.oa-archive']],
    ['audit', '/settings/audit', ['grid', 'Audit log']],
    ['keys', '/settings/keys', ['grid', 'Own keys']],
    ['tokens', '/settings/tokens', ['button', 'Revoke Nightly archive']],
    ['not-found', '/settings/nothing', ['heading', 'There is no such page']],
  ];
}

step('every page is fit for everybody', async () => {
  const window = await browser.window(service);
  const { page } = window;
  const found = [];
  await page.goto('/sign-in');
  await window.sees('button', 'Sign in');
  found.push(...(await examine(window, 'sign-in')));
  await window.signIn(owner);
  for (const [name, path, ready] of pages) {
    await page.goto(path);
    await window.sees(...ready);
    await page.locator('.oa-loading').first().waitFor({ state: 'hidden' });
    found.push(...(await examine(window, name)));
  }
  await window.close();
  assert.deepEqual(found, []);
});

step('so is every dialog', async () => {
  const window = await browser.window(service);
  const { page } = window;
  await window.signIn(owner);
  const found = [];
  const look = async (path, name, button) => {
    await page.goto(path);
    await window.button(button);
    await page.getByRole('dialog').getByRole('button').last().waitFor();
    await page.locator('.oa-loading').first().waitFor({ state: 'hidden' });
    found.push(...(await examine(window, `dialog-${name}`)));
  };
  await look('/settings/backup', 'create-archive', 'Create archive');
  await look('/settings/keys', 'accept-signer', 'Accept a signer…');
  await look('/settings/keys', 'rotate', 'Rotate the key…');
  await look('/settings/tokens', 'create-token', 'Create token');
  await look('/settings/audit', 'audit-entry', /^Details of/);
  await look(`/workspaces/${(await api.workspace('Sales')).id}`, 'delete-report', 'Delete orders overview 1');
  await window.close();
  assert.deepEqual(found, []);
});

step('a lost report is brought back without a mouse', async () => {
  const window = await browser.window(service);
  const { page } = window;
  const { keyboard } = page;
  const reach = reachIn(window);
  await page.goto('/sign-in');
  await window.sees('button', 'Sign in');
  await page.waitForFunction(() => document.activeElement?.id === 'organisation');
  for (const text of [service.organisation, service.emails[owner], service.password]) {
    await keyboard.type(text);
    await keyboard.press('Tab');
  }
  await keyboard.press('Enter');
  await reach('link', 'Backup');
  await keyboard.press('Enter');
  await reach('button', /^Restore from backup-/);
  await keyboard.press('Enter');
  await reach('button', 'Select the deleted one');
  await keyboard.press('Enter');
  await page.getByText('1 asset selected').waitFor();
  await reach('button', 'See what would change in Demo');
  await keyboard.press('Enter');
  await reach('button', 'Restore 1 asset in Demo');
  await keyboard.press('Enter');
  await window.sees('heading', /Done: 1 brought back/);
  await reach('link', lost);
  await keyboard.press('Enter');
  await window.sees('img', /bar chart/);
  await window.close();
});
