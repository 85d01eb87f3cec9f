/** Build the page as one module for notebooks: styles inside, measured by the width of its cell and not of the window. */
import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

/** The styles of a whole page as those of a part of another page. */
function inCell(css: string): string {
  return css
    .replace(/@media (\([^{]*width[^{]*)\{/g, '@container hooke $1{')
    .replace(/@media screen and \(prefers-color-scheme: dark\) \{\s*:root/g, "@media all { :host([data-theme='dark'])")
    .replace(/(^|[\s,}])(:root|html|body)(?=\s*[,{])/g, '$1:host')
    .replace(/(\d)vw\b/g, '$1cqw')
}

const adapt: Plugin = {
  name: 'in a cell',
  enforce: 'pre',
  transform: (code, id) => (id.includes('app.css') ? inCell(code) : undefined),
}

export default defineConfig({
  plugins: [
    adapt,
    svelte({
      configFile: false,
      emitCss: false,
      preprocess: [vitePreprocess(), { style: ({ content }) => ({ code: inCell(content) }) }],
      compilerOptions: { runes: true },
    }),
  ],
  publicDir: false,
  build: {
    outDir: '../src/hooke/server/static',
    emptyOutDir: false,
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: false,
    rolldownOptions: {
      input: 'src/notebook.ts',
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: 'notebook.js' },
    },
  },
})
