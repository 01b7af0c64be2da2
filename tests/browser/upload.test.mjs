// An archive comes back as a file: over a connection that breaks, damaged, or signed by somebody who is not known.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Api } from './kit/api.mjs';
import { eventually, openBrowser, step } from './kit/browser.mjs';
import { layCable } from './kit/cable.mjs';
import { owner, startService } from './kit/service.mjs';

let service;
let browser;
let cable;
let window;
let page;
let api;
let archive;
let bytes;
const folder = mkdtempSync(join(tmpdir(), 'oa-browser-'));
const other = readFileSync(new URL('../golden/1.1/tenant.oa-archive', import.meta.url));

before(async () => {
  service = await startService();
  browser = await openBrowser();
  cable = await layCable(service);
  window = await browser.window(service, { address: cable.address });
  page = window.page;
  api = await Api.signIn(service, owner);
  archive = await api.archive();
  bytes = await api.bytes(`/v1/archives/${archive.id}/content`);
  writeFileSync(join(folder, 'copy.oa-archive'), bytes);
  await api.send('DELETE', `/v1/archives/${archive.id}`);
});
after(async () => {
  await browser?.close();
  await cable?.close();
  await service?.stop();
  rmSync(folder, { recursive: true });
});

async function choose(name) {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), window.button('Choose a file')]);
  await chooser.setFiles(join(folder, name));
}

async function chooseNew(name, contents) {
  writeFileSync(join(folder, name), contents);
  await choose(name);
}

const uploads = new RegExp('/v1/');

step('an upload that breaks off goes on by itself', async () => {
  await window.signIn(owner, { next: '/settings/backup/upload' });
  await window.sees('heading', 'Restore from a file');
  const held = cable.holdUploadAfter(64 * 1024);
  await choose('copy.oa-archive');
  await held;
  window.expect(0, uploads); // from here on the connection breaks when it likes,
  window.expect(423, uploads); // and what it sent may still be on its way into the store,
  window.expect(409, uploads); // or arrive there after it was asked how far it is
  cable.cut();
  await page.getByRole('progressbar', { name: 'copy.oa-archive' }).waitFor();
  cable.mend();
  await window.sees('heading', /The archive is complete and unchanged since it was signed/);
  await page.getByText(archive.content_hash).waitFor();
  const [received] = (await api.get('/v1/archives')).data;
  assert.equal(received.origin, 'uploaded');
  assert.equal(received.content_hash, archive.content_hash);
  assert.deepEqual(await api.bytes(`/v1/archives/${received.id}/content`), bytes);
  await api.send('DELETE', `/v1/archives/${received.id}`);
});

/** Leaves the page in the middle of the upload. */
async function interrupt() {
  const held = cable.holdUploadAfter(64 * 1024);
  const begun = page.waitForRequest((request) => request.method() === 'PATCH');
  await choose('copy.oa-archive');
  const path = new URL((await begun).url()).pathname;
  await held;
  await page.goto('/workspaces');
  cable.cutUpload();
  await eventually(async () => (await api.get(path)).offset > 0);
  cable.mend();
  return path;
}

step('after a reload it goes on where it stopped, when the same file is chosen', async () => {
  await window.button('Upload another file');
  await interrupt();
  await page.goto('/settings/backup/upload');
  await page.getByRole('row').filter({ hasText: 'copy.oa-archive' }).getByText(/^[1-9]\d % of/).waitFor();
  const resumed = page.waitForRequest((request) => request.method() === 'PATCH');
  await choose('copy.oa-archive');
  assert.ok(Number((await resumed).headers()['upload-offset']) > 0, 'what had arrived is not sent again');
  await window.sees('heading', /The archive is complete and unchanged since it was signed/);
  await window.button('Choose what to restore');
  await window.sees('heading', /Nothing is lost/);
});

step('another browser goes on with it, and only with the same file', async () => {
  await page.goto('/settings/backup/upload');
  await window.sees('button', 'Choose a file');
  const path = await interrupt();
  const two = await (await browser.window(service)).signIn(owner, { next: '/settings/backup' });
  const list = two.page.getByRole('grid', { name: 'Uploads that did not end' });
  const goOn = async (name) => {
    const [chooser] = await Promise.all([two.page.waitForEvent('filechooser'), list.getByRole('button', { name: 'Go on… with copy.oa-archive' }).click()]);
    await chooser.setFiles(join(folder, name));
  };
  writeFileSync(join(folder, 'shorter.oa-archive'), bytes.subarray(0, -1));
  await list.waitFor();
  await two.screenshot('uploads-unfinished-1280');
  await goOn('shorter.oa-archive');
  await list.getByText(/“shorter.oa-archive” is another file/).waitFor();
  const resumed = two.page.waitForRequest((request) => request.method() === 'PATCH');
  await goOn('copy.oa-archive');
  assert.equal(new URL((await resumed).url()).pathname, path);
  assert.ok(Number((await resumed).headers()['upload-offset']) > 0, 'what had arrived is not sent again');
  await two.sees('heading', /The archive is complete and unchanged since it was signed/);
  await two.close();
});

step('an upload that is not wanted any more is discarded', async () => {
  window.expect(404, /\/v1\/uploads\//); // this browser still knows of the one that the other ended
  await page.goto('/settings/backup/upload');
  await window.sees('button', 'Choose a file');
  const path = await interrupt();
  await page.goto('/settings/backup');
  await window.button('Discard copy.oa-archive');
  await page.getByRole('dialog').getByRole('button', { name: 'Discard upload' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByRole('heading', { name: 'Uploads that did not end' }).waitFor({ state: 'hidden' });
  await assert.rejects(api.get(path), /404|410/);
});

step('a damaged file is refused in words, with the code and the job', async () => {
  const damaged = Buffer.from(bytes);
  damaged[Math.floor(damaged.length / 2)] ^= 1;
  await page.goto('/settings/backup/upload');
  await chooseNew('damaged.oa-archive', damaged);
  const alert = page.locator('.oa-error');
  await alert.getByText('The archive was changed after it was signed, or is damaged. Nothing was read from it.').waitFor();
  await alert.getByText('archive/content-mismatch', { exact: true }).waitFor();
  await alert.getByText(new URL(page.url()).searchParams.get('job'), { exact: true }).waitFor();
  await window.screenshot('upload-refused-1280');

  await page.goto('/settings/backup/upload');
  await chooseNew('picture.oa-archive', 'this is no archive');
  await alert.getByText(/This file is not an archive of OneAnalytics/).first().waitFor();
});

step('a signer who is not known is shown, accepted, and the archive goes on', async () => {
  await page.goto('/settings/backup/upload');
  await chooseNew('other.oa-archive', other);
  await window.sees('heading', /The archive is intact, but who signed it is not known here/);
  const fingerprint = (await page.locator('.oa-hash').first().textContent()).replaceAll(' ', '');
  assert.match(fingerprint, /^[0-9a-f]{64}$/);
  await window.screenshot('upload-unknown-signer-1280');
  const accept = page.getByRole('button', { name: 'Accept this signer and verify again' });
  assert.equal(await accept.isDisabled(), true);
  await page.getByLabel('They told me this very fingerprint').check();
  await accept.click();
  await window.sees('heading', /The archive is complete and unchanged since it was signed/);
  await window.screenshot('upload-verified-1280');
  const keys = (await api.get('/v1/keys')).data;
  assert.ok(keys.some((key) => key.fingerprint === fingerprint && key.state === 'accepted'));
  await window.button('Choose what to restore');
  await window.sees('button', /^Deleted here \(\d+\)$/);
});

step('nothing went wrong in the pages', () => window.close());
