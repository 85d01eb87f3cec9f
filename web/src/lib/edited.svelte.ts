/** What a figure shows of the edited model: asked for when the edits change and the reader is near, and only then. */
import { untrack } from 'svelte'

import { Panel } from './panel.svelte'
import type { Microscope } from './state.svelte'
import { Turns } from './turns'
import type { Answer } from './types'
import { listed } from './whatif'

/** On few cores figures of the edited model are worked out one after another, and after what the model says. */
const changes = new Turns(1)
let said: Promise<unknown> = Promise.resolve()

/** Milliseconds until it is known that somebody asks what the model says. */
const AHEAD = 60

/** What the model says of its edits: all other figures of them wait for it. */
export function ahead<T>(asking: Promise<T>): Promise<T> {
  said = asking.catch(() => {})
  return asking
}

type Query = Record<string, string>

export class Edited<T> {
  near = $state(false)
  panel = $state.raw<Panel<T> | null>(null)
  #early = $state.raw<{ asked: string; found: T } | null>(null)
  readonly #asked: () => string | null

  /** `order`: who comes first of those who wait. `at`: whose edits. `about`: what is asked beside the edits. `ask`: tells first what it knows first. */
  constructor(
    order: number,
    at: () => Microscope,
    about: () => Query,
    ask: (query: Query, first: (found: T) => void) => Promise<Answer<T>>,
  ) {
    const asked = $derived(
      at().live && at().edits.length ? JSON.stringify({ edits: listed(at().edits), ...about() }) : null,
    )
    let current = $state<string | null>(null)
    this.#asked = () => asked

    $effect(() => {
      if (asked === null || this.near) current = asked
    })
    $effect(() => {
      const question = current
      if (question === null) {
        this.panel = this.#early = null
        return
      }
      const first = (found: T): void => {
        if (question === current) this.#early = { asked: question, found }
      }
      const made = new Panel<T>(
        at().api,
        async () => {
          const answer = await ask(JSON.parse(question) as Query, first)
          if ('ready' in answer) first(answer.ready)
          return answer
        },
        () => at().lose(),
        async (asking) => {
          await new Promise((done) => setTimeout(done, AHEAD))
          await said
          return changes.run(asking, () => order)
        },
      )
      this.panel = made
      untrack(() => made.start())
      return () => made.cancel(true)
    })
  }

  /** The newest answer, kept until the next is there; null where nothing is edited. */
  get found(): T | null {
    return this.#asked() === null ? null : (this.#early?.found ?? null)
  }

  /** The answer is to what is asked now, and something is. */
  get fresh(): boolean {
    return this.#early !== null && this.#early.asked === this.#asked()
  }

  /** Something is edited. */
  get wanted(): boolean {
    return this.#asked() !== null
  }

  /** Where it stands on the page. */
  readonly place = (node: HTMLElement): (() => void) => {
    const watch = new IntersectionObserver((seen) => (this.near = seen.some((each) => each.isIntersecting)), {
      rootMargin: '240px',
    })
    watch.observe(node)
    return () => watch.disconnect()
  }
}
