/** Requests wait for their turn: a browser keeps six connections to one server, and one must be free for a question. */

/** At most so many at once; who is nearest to the reader comes first, and among equals who waited longest. */
export class Turns {
  #busy = 0
  #waiting: { begin: () => void; distance: () => number }[] = []

  constructor(private readonly most: number) {}

  /** Begin when it is its turn; what is returned gives the turn up, whether or not it came. */
  take(begin: () => void, distance: () => number = () => 0): () => void {
    let standing: 'waits' | 'has it' | 'left' = 'waits'
    const one = {
      begin: () => {
        standing = 'has it'
        this.#busy++
        begin()
      },
      distance,
    }
    if (this.#busy < this.most) one.begin()
    else this.#waiting.push(one)
    return () => {
      if (standing === 'waits') this.#waiting.splice(this.#waiting.indexOf(one), 1)
      const had = standing === 'has it'
      standing = 'left'
      if (had) {
        this.#busy--
        this.#next()
      }
    }
  }

  /** What is asked for when it is its turn. */
  async run<T>(ask: () => Promise<T>, distance?: () => number): Promise<T> {
    let leave = (): void => {}
    await new Promise<void>((begin) => (leave = this.take(begin, distance)))
    try {
      return await ask()
    } finally {
      leave()
    }
  }

  #next(): void {
    const far = this.#waiting.map(({ distance }) => distance())
    const nearest = far.indexOf(Math.min(...far))
    this.#waiting.splice(nearest, 1)[0]?.begin()
  }
}

/** Small pictures of units. */
const faces = new Turns(2)
/** What whole figures ask for. */
export const figures = new Turns(2)

/** Pixels between what the reader sees and an element; 0 where it is seen. */
export function distance(node: Element): number {
  const { top, bottom } = node.getBoundingClientRect()
  return Math.max(0, top - innerHeight, -bottom)
}

/** An image that is asked for once it is near, and its turn. */
export function inTurn(node: HTMLImageElement, url: string): { update(url: string): void; destroy(): void } {
  let wanted = url
  let leave = (): void => {}
  const watch = new IntersectionObserver(
    (seen) => {
      if (!seen.some((each) => each.isIntersecting)) return
      watch.disconnect()
      leave = faces.take(() => (node.src = wanted), () => distance(node))
    },
    { rootMargin: '160px' },
  )
  // Until it is there, and where it cannot be had, nothing: no sign of a broken image.
  node.style.visibility = 'hidden'
  node.addEventListener('load', () => {
    node.style.visibility = ''
    leave()
  })
  node.addEventListener('error', () => leave())
  watch.observe(node)
  const drop = (): void => {
    watch.disconnect()
    node.removeAttribute('src')
    node.style.visibility = 'hidden'
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
