/** What every chip and link on the page needs: the shared state, without being handed down. */
import { getContext, setContext } from 'svelte'

import type { Microscope } from './state.svelte'
import type { View } from './url'

const KEY = Symbol('microscope')

export const share = (microscope: Microscope): Microscope => setContext(KEY, microscope)
export const shared = (): Microscope => getContext<Microscope>(KEY)

/** Some event happened while a popover is open: Escape closes that first. */
export function popped(event: Event): boolean {
  const root = (event.composedPath()[0] as Node | undefined)?.getRootNode?.()
  return root instanceof Document || root instanceof ShadowRoot ? root.querySelector('[popover=auto]:popover-open') !== null : false
}

/** A click that stays on this page; any other is the browser's. */
export function plain(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
}

/** The attributes of a link to a view: a plain click stays on this page, everything else is the browser's. */
export function link(microscope: Microscope, view: View): { href: string; onclick: (event: MouseEvent) => void } {
  return {
    href: microscope.href(view),
    onclick(event) {
      if (!plain(event) || microscope.view.embed) return // a frame stays what it is: links open beside it
      event.preventDefault()
      microscope.go(view)
      if (view.figure === null) microscope.rise()
      else microscope.comings++
    },
  }
}
