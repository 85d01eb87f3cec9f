/** Where the view stands in the browser's address: in its path before a server, behind the # in a published copy. */
import type { Navigation } from './state.svelte'
import { split } from './url'

const note = (url: string, how: 'push' | 'replace'): void =>
  how === 'push' ? history.pushState(null, '', url) : history.replaceState(null, '', url)

export const byPath: Navigation = {
  read: () => ({ path: location.pathname, query: location.search }),
  write: note,
}

/** In a value beside a page that is a part of another. `note` writes it; `turn` does, too, and the page follows. */
export function byValue(
  within: HTMLElement, get: () => string, note: (url: string) => void, turn: (url: string) => void,
): Navigation {
  const past: string[] = []
  return {
    within,
    read: () => split(get()),
    write(url, how) {
      if (how === 'push') past.push(get())
      note(url)
    },
    href: (url) => `#${url}`,
    back: () => turn(past.pop() ?? '/'),
  }
}

/** `start`: the view where the address names none. A file server needs to know but one file. */
export function byHash(start: string): Navigation {
  return {
    read: () => split(location.hash.slice(1) || start),
    write: (url, how) => note(`#${url}`, how),
    href: (url) => `#${url}`,
  }
}
