// The main job: an Owner archives, loses a report, brings it back, and takes that back.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Api } from './kit/api.mjs';
import { openBrowser, step } from './kit/browser.mjs';
import { owner, startService } from './kit/service.mjs';

let service;
let browser;
let window;
let page;
let api;
const lost = 'orders overview 3';

before(async () => {
  service = await startService();
  browser = await openBrowser();
  window = await browser.window(service);
  api = await Api.signIn(service, owner);
  page = window.page;
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const kpi = () => page.locator('[data-visual="kpi"] .oa-kpi').first();
const nav = (name) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();

step('a report opens with its five kinds of visual and its bookmarks', async () => {
  await window.signIn(owner);
  await page.getByRole('link', { name: 'Sales' }).click();
  await page.getByRole('link', { name: 'orders overview 1' }).click();
  await window.sees('heading', 'orders overview 1');
  await page.locator('[data-visual="bar"] path.recharts-rectangle').first().waitFor();
  await page.locator('[data-visual="line"] path.recharts-line-curve').first().waitFor();
  for (const kind of ['matrix', 'table']) await page.locator(`[data-visual="${kind}"] tbody tr`).nth(1).waitFor();
  const whole = await kpi().textContent();
  assert.match(whole, /^[\d,.]+$/);

  await page.getByLabel('Bookmark').selectOption({ label: 'Board meeting' });
  await page.getByText('Filters of “Board meeting”').waitFor();
  await page.locator('.oa-report[aria-busy="false"]').waitFor();
  assert.notEqual(await kpi().textContent(), whole);
  await page.reload();
  await page.getByText('Filters of “Board meeting”').waitFor();
  await page.getByLabel('Bookmark').selectOption({ label: 'No bookmark' });
  await page.getByText('Filters of “Board meeting”').waitFor({ state: 'hidden' });

  await page.getByRole('button', { name: /^Numbers of/ }).first().click();
  await page.locator('[data-visual="bar"] tbody tr').first().waitFor();
});

step('an archive is made; its progress survives a reload', async () => {
  const release = await api.occupy();
  await nav('Backup');
  await window.button('Create the first archive');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/^All: \d+ reports, \d+ datasets, \d+ alerts$/).waitFor();
  await dialog.getByLabel(/^Rows of imported datasets \(adds about [\d.]+ KiB\)$/).check();
  await dialog.getByLabel(/^Audit log \([\d,]+ events\)$/).check();
  await dialog.getByRole('button', { name: 'Create archive' }).click();
  const progress = page.getByRole('progressbar', { name: 'Creating the archive' });
  await progress.waitFor();
  await page.getByText('waits for its turn').waitFor();
  await page.reload();
  await progress.waitFor();
  await page.getByText('waits for its turn').waitFor();
  await release();
  await page.getByText('The archive is made').waitFor();
  const row = page.getByRole('row').filter({ has: page.getByRole('button', { name: /^Restore from backup-/ }) });
  await row.getByText('with rows, with audit log').waitFor();
  await row.getByText('Verified', { exact: true }).waitFor();
  assert.equal(await row.count(), 1);
});

step('a download is the archive, byte for byte', async () => {
  const { data: [archive] } = await api.get('/v1/archives');
  await window.button(/^More about/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: /^Download/ }).click()]);
  assert.equal(download.suggestedFilename(), archive.name);
  const downloaded = readFileSync(await download.path());
  assert.equal(downloaded.length, archive.size_bytes);
  assert.deepEqual(downloaded, await api.bytes(`/v1/archives/${archive.id}/content`));
});

step('a lost report is brought back in six clicks', async (t) => {
  const before = await api.report('Sales', lost);
  const data = await api.get(`/v1/reports/${before.id}/data`);
  await nav('Workspaces');
  await page.getByRole('link', { name: 'Sales' }).click();
  await window.button(`Delete ${lost}`);
  await page.getByRole('dialog').getByRole('button', { name: 'Delete report' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByRole('link', { name: lost }).waitFor({ state: 'hidden' });

  let clicks = 0;
  const click = async (role, name) => {
    await page.getByRole(role, { name, exact: typeof name === 'string' }).first().click();
    clicks += 1;
  };
  const began = Date.now();
  await click('link', 'Backup');
  await click('button', /^Restore from backup-/);
  await click('button', 'Select the deleted one');
  await click('button', 'See what would change in Demo');
  await click('button', 'Restore 1 asset in Demo');
  await window.sees('heading', /Done: 1 brought back/);
  await click('link', lost);
  await kpi().waitFor();
  t.diagnostic(`${clicks} clicks, ${Date.now() - began} ms`);
  assert.equal(clicks, 6);
  assert.equal(new URL(page.url()).pathname, `/reports/${before.id}`);
  assert.equal((await api.get(`/v1/reports/${before.id}/data`)).digest, data.digest);
});

step('the restore is undone, and the undo as well', async () => {
  const { id } = await api.report('Sales', lost);
  await nav('Backup');
  await window.button('History and undo');
  await window.button('Undo…');
  await window.button('Take it back in Demo');
  await window.sees('heading', /Taken back: 1 removed/);
  assert.equal(await api.report('Sales', lost), undefined);

  window.expect(404, new RegExp(`/v1/reports/${id}`));
  await page.goto(`/reports/${id}`);
  await page.getByText('This is not here.').first().waitFor();
  await page.getByRole('link', { name: 'Bring it back from an archive' }).click();
  await window.button('History and undo');
  await page.getByRole('row').filter({ hasText: 'Undo of a restore' }).getByRole('button', { name: 'Undo…' }).click();
  await window.button('Take it back in Demo');
  await window.sees('heading', /Taken back: 1 brought back/);
  await page.getByRole('link', { name: lost }).click();
  await kpi().waitFor();
});

step('what was changed can be seen, overwritten, or kept beside a copy', async () => {
  const { id: archive } = (await api.get('/v1/archives')).data[0];
  const { id: dataset } = (await api.get(`/v1/workspaces/${(await api.workspace('Sales')).id}/datasets`)).data.find(({ name }) => name === 'products');
  const { model } = await service.command('dataset', 'model', dataset, '--tenant', 'Demo');
  const file = join(tmpdir(), `oa-browser-${process.pid}.yaml`);
  writeFileSync(file, model.replace('# The catalogue.', '# Spoiled.'));
  await service.command('dataset', 'model', dataset, '--tenant', 'Demo', '--save', file);

  await page.goto(`/settings/backup/archives/${archive}/restore`);
  await window.button('Changed here (1)');
  await window.button('Differences of products');
  const differences = page.getByRole('dialog');
  await differences.locator('del', { hasText: '# Spoiled.' }).waitFor();
  await differences.locator('ins', { hasText: '# The catalogue.' }).waitFor();
  await differences.getByRole('contentinfo').or(differences).getByRole('button', { name: 'Close' }).last().click();
  await page.getByLabel('Dataset products', { exact: true }).check();

  await window.button(/^Same here/);
  await page.getByLabel('Report orders overview 2', { exact: true }).check();
  await page.getByLabel('What to do with orders overview 2').selectOption({ label: 'Keep both: add a copy' });
  await window.button('See what would change in Demo');
  await page.getByText('Then in Demo: 1 overwritten, 1 added as a copy.').waitFor();
  await window.button('Restore 2 assets in Demo');
  await window.sees('heading', /Done: 1 overwritten, 1 added as a copy/);

  assert.equal((await service.command('dataset', 'model', dataset, '--tenant', 'Demo')).model, model);
  const original = await api.report('Sales', 'orders overview 2');
  const copy = (await api.reports('Sales')).find(({ id, name }) => id !== original.id && name.startsWith('orders overview 2'));
  assert.ok(copy, 'both are there');
  await page.getByRole('link', { name: copy.name, exact: true }).click();
  await kpi().waitFor();
  assert.equal(new URL(page.url()).pathname, `/reports/${copy.id}`);
});

step('nothing went wrong in the pages', () => window.close());
