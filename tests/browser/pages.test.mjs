// Every page: nothing that axe finds serious, light and dark; nothing wider than a telephone; the main job by keyboard.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before } from 'node:test';
import { Api } from './kit/api.mjs';
import { eventually, openBrowser, step } from './kit/browser.mjs';
import { owner, startService } from './kit/service.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

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

/** What axe finds serious or critical. The source goes in past the page's own policy, which stays in force. */
async function serious(window) {
  const { page } = window;
  await window.settled();
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`));
}

/** What reaches beyond the right edge of the window without a scroll area of its own. */
const tooWide = (page) =>
  page.evaluate(() => {
    const scrolls = (element) => element && (/auto|scroll/.test(getComputedStyle(element).overflowX) && element.matches('.pf-v6-c-page__main-section *, [role="dialog"] *') ? true : scrolls(element.parentElement));
    const main = document.querySelector('.pf-v6-c-page__main');
    const wide = [document.documentElement, main].filter((element) => element && element.scrollWidth > element.clientWidth);
    if (wide.length === 0) return [];
    return [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1 && !scrolls(element)).map((element) => element.outerHTML.slice(0, 120));
  });

async function examine(window, name) {
  const { page } = window;
  const found = [];
  await window.screenshot(`${name}-1280`);
  found.push(...(await serious(window)).map((text) => `light: ${text}`));
  await page.emulateMedia({ colorScheme: 'dark' });
  await window.screenshot(`${name}-dark`);
  found.push(...(await serious(window)).map((text) => `dark: ${text}`));
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 375, height: 720 });
  await window.screenshot(`${name}-375`);
  found.push(...(await tooWide(page)).map((text) => `375 px: ${text}`));
  await page.setViewportSize({ width: 1280, height: 720 });
  return found.map((text) => `${name}: ${text}`);
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
  /** Tab until the one of that name has the focus, and shows it. */
  const reach = async (role, name) => {
    const target = await window.sees(role, name);
    for (let tabs = 0; tabs < 60; ++tabs) {
      await keyboard.press('Tab');
      if (await target.evaluate((element) => element === document.activeElement && element.matches(':focus-visible'))) return;
    }
    throw new Error(`Tab does not lead to ${role} ${name}`);
  };
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
