// dist/ as one blob and a table of what is where in it, for src/pages.
// usage: node embed.mjs DIST FOLDER
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

const [dist, folder] = process.argv.slice(2);
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .map((file) => ({ file, path: file.slice(dist.length).replaceAll('\\', '/') }))
  .sort((a, b) => (a.path < b.path ? -1 : 1));

const parts = [];
const rows = [];
let offset = 0;
function add(bytes) {
  const at = offset;
  parts.push(bytes);
  offset += bytes.length;
  return `blob(${at}, ${bytes.length})`;
}
for (const { file, path } of files) {
  const type = types[extname(path)];
  if (!type) throw new Error(`no content type is known for ${path}`);
  const body = readFileSync(file);
  const packed = gzipSync(body, { level: 9 });
  const etag = createHash('sha256').update(body).digest('hex').slice(0, 32);
  const compressed = packed.length < body.length * 0.9 ? packed : Buffer.alloc(0);
  rows.push(
    `Page{${JSON.stringify(path)}, ${JSON.stringify(type)}, "\\"${etag}\\"", ` +
      `${path.startsWith('/assets/')}, ${add(body)}, ${add(compressed)}},`,
  );
}
writeFileSync(join(folder, 'pages.bin'), Buffer.concat(parts));
writeFileSync(join(folder, 'pages_table.inc'), rows.join('\n') + '\n');
