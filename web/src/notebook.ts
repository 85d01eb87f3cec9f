/** The same page inside a cell of a notebook: a widget whose other end is the kernel. */
import { mount, unmount } from 'svelte'

import App from './App.svelte'
import look from './app.css?inline'
import { served } from './lib/api'
import { Kernel, type Widget } from './lib/kernel.svelte'
import { byValue } from './lib/navigation'
import box from './notebook.css?inline'

interface Model extends Widget {
  get(name: 'view' | 'height'): string | number
  set(name: 'view', value: string): void
  save_changes(): void
  on(event: string, hear: (...said: never[]) => void): void
  off(event: string, hear: (...said: never[]) => void): void
}

/** Styles of its own, in a box of its own that scrolls. */
function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const host = document.createElement('div')
  host.className = 'hooke'
  // JupyterLab takes keys for its own commands.
  host.dataset.lmSuppressShortcuts = 'true'
  host.style.height = `min(${model.get('height')}px, 92vh)`
  el.append(host)
  const root = host.attachShadow({ mode: 'open' })
  root.append(Object.assign(document.createElement('style'), { textContent: look + box }))
  const target = root.appendChild(document.createElement('div'))
  target.className = 'page'

  const dress = (): void => {
    host.dataset.theme = host.style.colorScheme = dark(el) ? 'dark' : 'light'
  }
  const themes = new MutationObserver(dress)
  for (const node of [document.documentElement, document.body]) themes.observe(node, { attributes: true })
  dress()

  const kernel = new Kernel(model)
  let writing = false
  const turn = (url: string): void => {
    model.set('view', url)
    model.save_changes()
  }
  const note = (url: string): void => {
    writing = true
    turn(url)
    writing = false
  }
  const navigation = byValue(host, () => String(model.get('view')), note, turn)
  const app = mount(App, { target, props: { api: served(kernel), navigation } })
  const travel = (): void => {
    if (!writing) app.travel()
  }
  model.on('change:view', travel)

  return () => {
    model.off('change:view', travel)
    themes.disconnect()
    void unmount(app)
    kernel.close()
  }
}

/** Whether the paper that it lies on is dark; where nothing it lies in has a colour, as in VS Code, what the notebook says. */
function dark(node: Element | null): boolean {
  for (let each = node; each; each = each.parentElement ?? hostOf(each)) {
    const [red, green, blue, opacity] = painted(getComputedStyle(each).backgroundColor)
    if (opacity! > 0) return 0.3 * red! + 0.59 * green! + 0.11 * blue! < 128
  }
  return document.querySelector(DARK) !== null
}

const brush = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!

/** Red, green, blue and opacity (0 to 255) of a colour in whatever way it is written: marimo's are color(srgb 1 1 1). */
function painted(colour: string): Uint8ClampedArray {
  brush.clearRect(0, 0, 1, 1)
  brush.fillStyle = colour
  brush.fillRect(0, 0, 1, 1)
  return brush.getImageData(0, 0, 1, 1).data
}

/** JupyterLab, VS Code, marimo and Colab in their dark themes. */
const DARK = 'body[data-jp-theme-light=false], body.vscode-dark, body.vscode-high-contrast, .dark > body, body.dark, html[theme=dark]'

/** marimo shows a widget within a tree of its own. */
function hostOf(node: Element): Element | null {
  const root = node.getRootNode()
  return root instanceof ShadowRoot ? root.host : null
}

export default { render }
