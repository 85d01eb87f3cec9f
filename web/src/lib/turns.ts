/** Small pictures of units wait for their turn: a browser asks a server six things at once, and a question comes first. */

const MOST = 2

let busy = 0
const waiting: (() => void)[] = []

/** Begin when it is its turn; what is returned gives the turn up, whether or not it came. */
export function take(begin: () => void): () => void {
  let standing: 'waits' | 'has it' | 'left' = 'waits'
  const go = (): void => {
    standing = 'has it'
    busy++
    begin()
  }
  if (busy < MOST) go()
  else waiting.push(go)
  return () => {
    if (standing === 'waits') waiting.splice(waiting.indexOf(go), 1)
    if (standing === 'has it') {
      busy--
      waiting.shift()?.()
    }
    standing = 'left'
  }
}

/** An image that is asked for once it is near, and its turn. */
export function inTurn(node: HTMLImageElement, url: string): { update(url: string): void; destroy(): void } {
  let wanted = url
  let leave = (): void => {}
  const watch = new IntersectionObserver(
    (seen) => {
      if (!seen.some((each) => each.isIntersecting)) return
      watch.disconnect()
      leave = take(() => (node.src = wanted))
    },
    { rootMargin: '160px' },
  )
  const done = (): void => leave()
  node.addEventListener('load', done)
  node.addEventListener('error', done)
  watch.observe(node)
  const drop = (): void => {
    watch.disconnect()
    node.removeAttribute('src')
    leave()
  }
  return {
    update(next) {
      if (next === wanted) return
      drop()
      wanted = next
      watch.observe(node)
    },
    destroy: drop,
  }
}
