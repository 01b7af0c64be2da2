// Between a browser and the service: a connection that can be cut in the middle of what is sent, and mended.
import { connect, createServer } from 'node:net';

export async function layCable(service) {
  const target = Number(new URL(service.address).port);
  const sockets = new Set();
  let limit = Infinity; // bytes of an upload that come through
  let broken = false;
  let told = () => {};
  let held = null; // the connection of an upload that waits

  const server = createServer((near) => {
    if (broken) {
      near.destroy();
      return;
    }
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    let upload = false;
    let passed = 0;
    near.on('data', (bytes) => {
      const head = bytes.subarray(0, 12).toString('latin1');
      if (/^[A-Z]{3,7} \/v1\//.test(head)) {
        upload = head.startsWith('PATCH '); // a connection carries one request after the other
        passed = 0;
      }
      if (!upload || passed + bytes.length <= limit) {
        passed += bytes.length;
        far.write(bytes);
        return;
      }
      far.write(bytes.subarray(0, limit - passed));
      near.pause();
      held = near;
      told();
    });
    far.pipe(near);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://localhost:${server.address().port}`,
    /** Lets so many bytes of the next upload through; resolves when they are. */
    holdUploadAfter(bytes) {
      limit = bytes;
      return new Promise((resolve) => (told = resolve));
    },
    /** The connection of the held upload breaks; all others stay. */
    cutUpload() {
      held.destroy();
    },
    cut() {
      broken = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      broken = false;
      limit = Infinity;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
