// The trust report, for somebody who is not signed in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { openBrowser, step } from './kit/browser.mjs';
import { examine } from './kit/fit.mjs';
import { startService } from './kit/service.mjs';

let service;
let browser;
let window;
let page;

before(async () => {
  service = await startService();
  browser = await openBrowser();
  window = await browser.window(service);
  page = window.page;
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

step('before the first drill it says what is promised', async () => {
  await page.goto('/trust');
  await window.sees('heading', 'No drill yet');
  await page.getByText(/promised within 1 h 0 min; not measured yet/).waitFor();
  assert.deepEqual(await examine(window, 'trust-before'), []);
});

step('a drill that succeeded and one that did not are both in it', async () => {
  await service.command('drill', 'consent', 'on', '--tenant', service.organisation);
  const { drills: [drill] } = await service.command('drill', 'run', '--tenant', service.organisation);
  assert.equal(drill.state, 'successful');
  await assert.rejects(service.command('drill', 'run', '--tenant', service.organisation, '--recovery-minutes', '0'));
  await service.command('drill', 'consent', 'off', '--tenant', service.organisation);
  const failed = page.getByRole('grid', { name: 'The last drills' }).getByText(/Took too long at “recovery-time”/);
  await new Promise((resolve) => setTimeout(resolve, 10_500)); // as old a report may be
  await page.reload();
  await failed.waitFor();
  const last = page.getByRole('grid', { name: 'The last drills' });
  await last.getByText('Successful').first().waitFor();
  await page.getByRole('rowheader', { name: 'Open reports' }).waitFor();
  assert.deepEqual(await examine(window, 'trust'), []);
});

step('a drill of the whole database is told apart', async () => {
  const { drills: [drill] } = await service.command('drill', 'run', '--cell');
  assert.equal(drill.state, 'successful');
  await new Promise((resolve) => setTimeout(resolve, 10_500)); // the report is kept for ten seconds
  await page.reload();
  await page.getByText('The whole database, at a random moment').waitFor();
  await page.getByRole('heading', { name: 'How long the steps took for the whole database' }).waitFor();
  await page.getByRole('grid', { name: 'The last drills' }).getByText('The database', { exact: true }).waitFor();
});

step('nobody is named', async () => {
  const text = await (await page.request.get(`${service.address}/trust/report.json`)).text();
  for (const name of [service.organisation, ...service.emails]) assert.ok(!text.includes(name), name);
});

step('the commands of the page verify it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oa-browser-'));
  try {
    const fetch = await page.getByLabel('Fetch the report').inputValue();
    const verify = await page.getByLabel('Verify the report').inputValue();
    writeFileSync(join(folder, 'verify.sh'), `oa-backup() { "${process.env.OA_BACKUP}" "$@"; }\n${fetch}\n${verify}\n`);
    const said = execFileSync('bash', ['-e', 'verify.sh'], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    assert.match(said, /\d records: every number, link, hash and signature fits/);
    execFileSync('sed', ['-i', 's/"outcome":"timed_out"/"outcome":"successful"/', join(folder, 'report.json')]);
    writeFileSync(join(folder, 'again.sh'), `"${process.env.OA_BACKUP}" ${verify.replace('oa-backup ', '')}\n`);
    assert.throws(() => execFileSync('bash', ['-e', 'again.sh'], { cwd: folder, stdio: 'pipe' }), { status: 13 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

step('it can be printed', async () => {
  await page.emulateMedia({ media: 'print' });
  await page.getByRole('heading', { name: 'Trust report' }).waitFor();
  const { width, inner } = await page.evaluate(() => ({ width: document.documentElement.scrollWidth, inner: window.innerWidth }));
  assert.ok(width <= inner, `${width} > ${inner}`);
  await page.emulateMedia({ media: 'screen' });
});
