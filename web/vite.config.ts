import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

/** The server whose /api the development server passes on to: `hooke explore --no-browser`. */
const server = 'http://127.0.0.1:8742'

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../src/hooke/server/static',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  server: { proxy: { '/api': { target: server, changeOrigin: true } } },
  test: { include: ['src/**/*.test.ts'], environment: 'node', css: true },
})
