// Runs src/**/*.test.ts in Node's own test runner.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../src', import.meta.url));
const tests = readdirSync(source, { recursive: true }).filter((file) => file.endsWith('.test.ts'));
const folder = mkdtempSync(join(tmpdir(), 'pages-test-'));
try {
  await build({
    entryPoints: tests.map((file) => join(source, file)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node18',
    logLevel: 'warning',
  });
  const files = readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => join(folder, file));
  process.exitCode =
    spawnSync(process.execPath, ['--test', ...files], {
      stdio: 'inherit',
      env: { ...process.env, TZ: 'UTC', LANG: 'en_US.UTF-8' },
    }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
