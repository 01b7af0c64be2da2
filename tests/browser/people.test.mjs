// Several people at once: each sees what is theirs, and what the others do.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Api } from './kit/api.mjs';
import { openBrowser, step } from './kit/browser.mjs';
import { admin, owner, startService, viewer } from './kit/service.mjs';

let service;
let browser;
let api;
let archive;

before(async () => {
  service = await startService();
  browser = await openBrowser();
  api = await Api.signIn(service, owner);
  archive = await api.archive();
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

async function open(person, options) {
  return (await browser.window(service)).signIn(person, options);
}

step('two browsers see one another’s archives and restores', async () => {
  const [one, two] = await Promise.all([open(owner, { next: '/settings/backup' }), open(owner)]);
  const release = await api.occupy();
  await one.button('Create archive');
  await one.page.getByRole('dialog').getByRole('button', { name: 'Create archive' }).click();
  await one.sees('progressbar', 'Creating the archive');
  await two.page.getByRole('link', { name: 'Backup' }).click();
  await two.sees('progressbar', 'Creating the archive');
  await release();
  for (const { page } of [one, two]) {
    await page.getByText('The archive is made').waitFor();
    await page.getByRole('button', { name: /^Restore from backup-/ }).nth(1).waitFor();
  }
  await Promise.all([one.close(), two.close()]);
});

step('a plan that somebody else made stale is refused, and says so', async () => {
  const report = await api.report('Sales', 'orders overview 1');
  await api.send('DELETE', `/v1/reports/${report.id}`);
  const one = await open(owner, { next: `/settings/backup/archives/${archive.id}/restore` });
  await one.button('Select the deleted one');
  await one.button('See what would change in Demo');
  await one.sees('button', 'Restore 1 asset in Demo');

  const planned = await api.over(await api.post('/v1/restores', { archive_id: archive.id, assets: [{ kind: 'report', id: report.id }] }));
  const path = `/v1/restores/${planned.result.restore_id}`;
  const applying = await api.post(`${path}/apply`, { plan_hash: (await api.get(path)).plan_hash });
  const other = await open(owner, { next: path.replace('/v1', '/settings/backup') });
  await other.sees('heading', /Done: 1 brought back/);
  await api.over(applying);

  one.expect(412, /\/apply$/);
  await one.button('Restore 1 asset in Demo');
  const alert = one.page.locator('.oa-error');
  await alert.getByText(/something changed since you looked at it/i).waitFor();
  await alert.getByText('resource/precondition-failed', { exact: true }).waitFor();
  await one.screenshot('plan-stale-1280');
  await Promise.all([one.close(), other.close()]);
});

step('a restore that is refused after it was begun is a plan again', async () => {
  const [gone, there] = [await api.report('Sales', 'orders overview 2'), await api.report('Sales', 'orders overview 3')];
  await api.send('DELETE', `/v1/reports/${gone.id}`);
  const assets = [gone, there].map(({ id }) => ({ kind: 'report', id }));
  const { result } = await api.over(await api.post('/v1/restores', { archive_id: archive.id, assets }));
  const window = await open(owner, { next: `/settings/backup/restores/${result.restore_id}` });
  const { page } = window;
  const release = await api.occupy(60, `/v1/archives/${archive.id}/compare`); // restores go before other jobs
  await window.button('Restore 1 asset in Demo');
  await page.getByText('Being applied').waitFor();
  await api.send('DELETE', `/v1/reports/${there.id}`); // which the plan has as the same here
  await release();
  await page.locator('.oa-error').getByText('resource/precondition-failed', { exact: true }).waitFor();
  await page.getByText('Planned: nothing has changed yet').waitFor();
  assert.equal(await page.getByText('Being applied').count(), 0);
  await window.screenshot('plan-refused-1280');
  await window.close();
});

step('an Admin archives and sees only their workspace', async () => {
  const window = await open(admin, { next: '/settings/backup' });
  const { page } = window;
  await window.sees('heading', 'Backup');
  await page.getByRole('heading', { name: 'No archive yet' }).waitFor(); // the Owner's are of everything
  assert.equal(await page.getByRole('heading', { name: 'Automatic archives' }).count(), 0);
  for (const name of ['Audit', 'Keys']) assert.equal(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).count(), 0);
  await window.button('Create the first archive');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Sales').waitFor();
  assert.equal(await dialog.getByLabel('Operations').count(), 0);
  assert.equal(await dialog.getByLabel(/^Audit log/).count(), 0);
  await window.screenshot('admin-create-archive-1280');
  await dialog.getByRole('button', { name: 'Create archive' }).click();
  await page.getByText('1 workspace only').waitFor();
  await page.goto('/settings/audit');
  await window.sees('heading', 'There is no such page');
  await window.close();
});

step('a Viewer sees nothing of backups', async () => {
  const window = await open(viewer, { next: '/settings/backup' });
  const { page } = window;
  await window.sees('heading', 'There is no such page');
  await window.screenshot('viewer-not-found-1280');
  for (const name of ['Backup', 'Audit', 'Keys']) assert.equal(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).count(), 0);
  await window.button('Go to the workspaces');
  await page.getByRole('link', { name: 'Sales' }).click();
  await page.getByRole('link', { name: 'orders overview 1' }).click();
  await page.locator('[data-visual="kpi"] .oa-kpi').first().waitFor();
  assert.equal(await page.getByRole('button', { name: /Delete/ }).count(), 0);
  for (const path of [`archives/${archive.id}`, `archives/${archive.id}/restore`, 'upload', 'restores']) {
    await page.goto(`/settings/backup/${path}`);
    await window.sees('heading', 'There is no such page');
  }
  await window.close();
});

step('signing out everywhere ends the other browser', async () => {
  const [one, two] = await Promise.all([open(viewer), open(viewer)]);
  two.expect(401, /\/v1\//);
  one.expect(401, /\/v1\/workspaces/); // what it was asking for when its own session ended
  await one.button(/^Account of/);
  await one.page.getByRole('menuitem', { name: 'Sign out everywhere…' }).click();
  await one.page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await one.sees('heading', 'Sign in to OneAnalytics');
  await two.page.goto('/workspaces'); // which it may have left for the sign-in by itself
  await two.sees('heading', 'Sign in to OneAnalytics');
  assert.match(two.page.url(), /next=%2Fworkspaces/);
  await Promise.all([one.close(), two.close()]);
});

step('a wrong password is told, and many lock', async () => {
  const window = await browser.window(service);
  const { page } = window;
  window.expect(401, /\/v1\/auth\/sign-in$/);
  window.expect(429, /\/v1\/auth\/sign-in$/);
  await page.goto('/sign-in');
  const alert = page.locator('.oa-error');
  const tried = async () => {
    const answer = page.waitForResponse((response) => response.url().endsWith('/v1/auth/sign-in'));
    await page.getByRole('button', { name: 'Sign in' }).click();
    return (await answer).status();
  };
  await window.fillSignIn(service.emails[viewer], 'not the password');
  assert.equal(await tried(), 401);
  await alert.getByText('The organisation, the e-mail address or the password is wrong.').waitFor();
  await alert.getByText('auth/sign-in-refused', { exact: true }).waitFor();
  await window.screenshot('sign-in-refused-1280');
  for (let attempts = 0; (await tried()) !== 429; ++attempts) assert.ok(attempts < 20, 'it locks');
  await alert.getByText('Too many attempts to sign in.').waitFor();
  await alert.getByText(/try again in \d+ seconds/i).waitFor();
  await alert.getByText('auth/locked-out', { exact: true }).waitFor();
  await window.screenshot('sign-in-locked-1280');
  await window.close();
});
