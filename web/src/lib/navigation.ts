/** Where the view stands in the browser's address: in its path before a server, behind the # in a published copy. */
import type { Navigation } from './state.svelte'

const note = (url: string, how: 'push' | 'replace'): void =>
  how === 'push' ? history.pushState(null, '', url) : history.replaceState(null, '', url)

export const byPath: Navigation = {
  read: () => ({ path: location.pathname, query: location.search }),
  write: note,
}

/** `start`: the view where the address names none. A file server needs to know but one file. */
export function byHash(start: string): Navigation {
  return {
    read() {
      const url = location.hash.slice(1) || start
      const cut = url.indexOf('?')
      return cut < 0 ? { path: url, query: '' } : { path: url.slice(0, cut), query: url.slice(cut) }
    },
    write: (url, how) => note(`#${url}`, how),
    href: (url) => `#${url}`,
  }
}
