// The real binary on its embedded default with the demo tenant: a data folder and a port of its own.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const binary = process.env.OA_BACKUP;

/** People of the demo, by what they may do. */
export const owner = 0;
export const admin = 1;
export const viewer = 2;

/**
 * Resolves when it serves. One job at a time unless `workers` says otherwise: then what waits for its turn, waits.
 * @returns {Promise<{address: string, organisation: string, emails: string[], password: string,
 *   command: (...words: string[]) => Promise<any>, stop: () => Promise<void>}>}
 */
export async function startService({ workers = 1 } = {}) {
  if (!binary) throw new Error('OA_BACKUP has to name the binary');
  const scratch = mkdtempSync(join(tmpdir(), 'oa-browser-'));
  chmodSync(scratch, 0o711); // Postgres runs as somebody else
  const data = join(scratch, 'data');
  const log = join(scratch, 'log');
  // Ends with this process, however that ends.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', binary, 'up', '--data', data, '--port', '0', '--demo', '--rows', '2000', '--json', '--log', log, '--job-workers', String(workers)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    const { address, demo } = JSON.parse(await firstLine(child));
    return { address, ...demo, command: (...words) => run(words, data), log: () => readFileSync(log, 'utf8'), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function firstLine(child) {
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    child.stdout.on('data', (bytes) => {
      out += bytes;
      if (out.includes('\n')) resolve(out.slice(0, out.indexOf('\n')));
    });
    child.stderr.on('data', (bytes) => (err += bytes));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`oa-backup up ended with ${code}: ${err}`)));
  });
}

/** One command of the operator on the same data folder; its JSON document. */
function run(words, data) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [...words, '--json', '--data', data], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (bytes) => (out += bytes));
    child.stderr.on('data', (bytes) => (err += bytes));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(out.trim() ? JSON.parse(out) : null) : reject(new Error(`oa-backup ${words.join(' ')}: ${code}: ${err}`))));
  });
}
