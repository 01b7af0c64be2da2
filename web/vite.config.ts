import { defineConfig } from 'vite';

// OA_SERVER: where `npm run dev` finds the API.
const server = process.env['OA_SERVER'] ?? 'https://127.0.0.1:8443';

export default defineConfig({
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: fonts
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    reportCompressedSize: false,
    rollupOptions: {
      onwarn(warning, warn) {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning); // 'use client' means nothing here
      },
    },
  },
  server: { proxy: { '/v1': { target: server, secure: false } } },
});
