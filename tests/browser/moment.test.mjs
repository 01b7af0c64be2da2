// Back to a moment: a report is deleted, and comes back from just before that, out of continuous backup.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Api } from './kit/api.mjs';
import { eventually, openBrowser, step } from './kit/browser.mjs';
import { admin, owner, startService } from './kit/service.mjs';

let service;
let browser;
let window;
let page;
let api;
const lost = 'orders overview 3';
const path = '/settings/backup/moment';

before(async () => {
  service = await startService();
  browser = await openBrowser();
  window = await browser.window(service);
  api = await Api.signIn(service, owner);
  page = window.page;
  await eventually(async () => (await api.get('/v1/continuity')).earliest !== null); // the first copy is there
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const deletion = async () => (await api.get('/v1/audit/events?action=report.delete&limit=1')).data[0];
const line = (name) => page.getByRole('region', { name: 'What happened' }).getByRole('button', { name });
const chosen = () => page.getByRole('region', { name: 'The moment' });

step('the state of continuous backup is told in words', async () => {
  await window.signIn(owner, { next: '/settings/backup' });
  const card = page.locator('.pf-v6-c-card', { has: page.getByRole('heading', { name: /^Continuous backup/ }) });
  await card.getByText(/^any second since /).waitFor();
  await card.getByText(/^(less than a second|up to .+) of work$/).waitFor();
  await card.getByText(/^your plan keeps 30 days$/).waitFor();
  await window.screenshot('moment-card-1280');
  await card.getByRole('button', { name: 'Restore from a moment…' }).click();
  await window.sees('heading', 'Restore from a moment');
});

step('just before the deletion is one click from its mark', async () => {
  const report = await api.report('Sales', lost);
  await api.send('DELETE', `/v1/reports/${report.id}`);
  await page.goto(path);
  await page.getByRole('button', { name: '1 hour' }).click();
  const mark = page.locator('[data-mark~="report.delete"]');
  await mark.waitFor();
  await mark.click();
  await chosen().getByText(`just before Demo User 01 deleted the report “${lost}”`).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('at'), (await deletion()).ts);
  await window.screenshot('moment-chosen-1280');
});

step('the list does the same by keyboard, and a time can be typed', async () => {
  await page.goto(path);
  const button = line(new RegExp(`^Just before this: Demo User 01 deleted the report “${lost}”`));
  await button.focus();
  await page.keyboard.press('Enter');
  await chosen().getByText('just before Demo User 01 deleted').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('at'), (await deletion()).ts);
  assert.equal(await button.getAttribute('aria-pressed'), 'true');
  await page.getByLabel('Or a time').fill('2001-02-03T04:05:06');
  await page.getByText(/^That is before the earliest moment/).waitFor();
  assert.equal(await page.getByRole('button', { name: 'See what Demo had then' }).isDisabled(), true);
  await page.getByLabel('Show', { exact: true }).selectOption({ label: 'Only what went away' });
  await eventually(async () => (await line(/^Just before/).count()) === 1);
});

step('the moment is made an archive; its progress survives a reload', async (t) => {
  const release = await api.occupy();
  await line(/^Just before/).click();
  await window.button('See what Demo had then');
  const progress = page.getByRole('progressbar', { name: /^Bringing Demo back beside what is here/ });
  await progress.waitFor();
  await page.getByText('waits for its turn').waitFor();
  await page.reload();
  await progress.waitFor();
  await page.goto(path); // without the job in the address, too
  await progress.waitFor();
  const began = Date.now();
  await release();
  await window.button('Select the deleted one');
  t.diagnostic(`${Date.now() - began} ms from the worker to the comparison`);
  const { data: [archive] } = await api.get('/v1/archives');
  assert.equal(archive.origin, 'moment');
  assert.equal(archive.snapshot_time, (await deletion()).ts);
});

step('the report comes back by the restore that is there, and opens', async () => {
  const id = (await deletion()).resource.id;
  await page.getByText('1 asset selected').waitFor();
  await window.button('See what would change in Demo');
  await window.button('Restore 1 asset in Demo');
  await window.sees('heading', /Done: 1 brought back/);
  await page.getByRole('link', { name: lost }).click();
  await page.locator('[data-visual="kpi"] .oa-kpi').first().waitFor();
  assert.equal(new URL(page.url()).pathname, `/reports/${id}`);
});

step('where a report was, its own moments are one click away', async () => {
  const { id } = await api.report('Sales', lost);
  await api.send('DELETE', `/v1/reports/${id}`);
  window.expect(404, new RegExp(`/v1/reports/${id}`));
  await page.goto(`/reports/${id}`);
  await page.getByRole('link', { name: 'from the moment before it was deleted' }).click();
  await page.getByText('Only what happened to one thing is shown.').waitFor();
  await line(new RegExp(`deleted the report “${lost}”`)).first().waitFor();
  await window.button('Show everything');
  await page.getByText('Only what happened to one thing is shown.').waitFor({ state: 'hidden' });
});

step('an Admin of a workspace sees the state, and not the way back', async () => {
  const other = await (await browser.window(service)).signIn(admin, { next: '/settings/backup' });
  await other.page.getByText(/^any second since /).waitFor();
  assert.equal(await other.page.getByRole('button', { name: 'Restore from a moment…' }).count(), 0);
  await other.page.goto(path);
  await other.sees('heading', 'There is no such page');
  await other.close();
});

step('nothing went wrong in the pages', () => window.close());
