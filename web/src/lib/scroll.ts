/** Coming to a figure of a page that still grows: stay with it until the reader moves. */

const MOVES = ['wheel', 'touchmove', 'keydown', 'pointerdown'] as const

/** Scroll to a node, again whenever the page changes its height, until the reader does anything or `patience` ms went by. */
export function approach(node: HTMLElement, patience = 6000): () => void {
  const come = (): void => node.scrollIntoView({ block: 'start', behavior: 'instant' })
  const watch = new ResizeObserver(come)
  const end = (): void => {
    watch.disconnect()
    clearTimeout(timer)
    for (const move of MOVES) removeEventListener(move, end, { capture: true })
  }
  const timer = setTimeout(end, patience)
  for (const move of MOVES) addEventListener(move, end, { capture: true, passive: true })
  come()
  watch.observe(document.body)
  return end
}
