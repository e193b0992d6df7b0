/// <reference types="vitest/config" />
import { defineConfig } from 'vite'

// The page is one HTML, one CSS and one JS file in dist, which Go embeds. dist/placeholder.html belongs to git: scripts/clean.mjs
// removes only what an earlier build left.
export default defineConfig({
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    target: 'es2022',
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // Whatever the first load needs is one file, also what later parts need too: split, it would be a kilobyte bigger.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'first', tags: ['$initial'] }] } } },
  },
  server: {
    // `npm run dev` talks to a layerd on its usual port.
    proxy: { '/v1': { target: 'http://127.0.0.1:8080', ws: true } },
  },
  test: {
    environment: 'happy-dom',
    testTimeout: 30_000, // a loaded machine may stall
    include: ['test/**/*.test.{ts,tsx}'],
  },
})
