/** One panel's answer: asked for, waited for with its progress, cancelled, failed with its reason, asked for again. */
import { untrack } from 'svelte'

import { Gone, why, type Api } from './api'
import { LiveOnly } from './published.svelte'
import type { Microscope } from './state.svelte'
import type { Answer } from './types'

export type PanelState = 'idle' | 'waiting' | 'working' | 'ready' | 'failed' | 'cancelled'

export class Panel<T> {
  state = $state<PanelState>('idle')
  /** What it is; while it is worked out, what there is of it so far. */
  answer = $state.raw<T | null>(null)
  share = $state(0)
  secondsLeft = $state<number | null>(null)
  /** Why it failed. */
  reason = $state('')
  /** A published copy does not have it: trying again would not help. */
  absent = $state(false)

  #round = 0
  #job: string | null = null
  #close: (() => void) | null = null

  constructor(
    private readonly api: Pick<Api, 'listen' | 'cancel'>,
    private readonly ask: () => Promise<Answer<T>>,
    private readonly gone: () => void = () => {},
    /** Lets it ask when it is its turn. */
    private readonly turn: <A>(ask: () => Promise<A>) => Promise<A> = (ask) => ask(),
  ) {}

  /** Ask, unless it is there or under way. */
  start(): void {
    if (this.state === 'idle' || this.state === 'failed' || this.state === 'cancelled') void this.load()
  }

  async load(followed = false): Promise<void> {
    const round = ++this.#round
    if (!followed) {
      this.state = 'waiting'
      this.share = 0
      this.secondsLeft = null
      this.reason = ''
    }
    try {
      const found = await this.turn(async () => (round === this.#round ? this.ask() : null))
      if (!found) return
      if (round !== this.#round) {
        if ('job' in found) this.api.cancel(found.job).catch(() => {})
      } else if ('ready' in found) {
        this.answer = found.ready
        this.state = 'ready'
      } else if (followed) this.fail('The answer was lost before it was read.')
      else this.follow(found.job, round)
    } catch (error) {
      if (round !== this.#round) return
      if (error instanceof Gone) this.gone()
      this.absent = error instanceof LiveOnly
      this.fail(why(error))
    }
  }

  /** Nobody wants it any more; `quietly`: the page is left. */
  cancel(quietly = false): void {
    this.#round++
    this.#close?.()
    this.#close = null
    const job = this.#job
    this.#job = null
    if (job) this.api.cancel(job).catch(() => {})
    if (!quietly && this.state !== 'ready') this.state = 'cancelled'
  }

  private follow(job: string, round: number): void {
    const here = (): boolean => round === this.#round
    this.#job = job
    let outcome = ''
    let over = false
    this.#close = this.api.listen(job, {
      progress: () => {},
      work: (event) => {
        if (!here()) return
        this.state = 'working'
        this.share = event.share
        this.secondsLeft = event.seconds_left
        if (event.so_far !== undefined && event.so_far !== null) this.answer = event.so_far as T
      },
      finished: ({ drawing }) => {
        over = true
        if (drawing.state === 'failed') outcome = drawing.note || 'it failed'
      },
      end: () => {
        if (!here()) return
        this.#job = null
        if (outcome) this.fail(outcome)
        else if (over) void this.load(true)
        else this.state = 'cancelled'
      },
      lost: () => {
        if (!here()) return
        this.#job = null
        this.fail('The server broke off before it was done.')
      },
    })
  }

  private fail(reason: string): void {
    this.state = 'failed'
    this.reason = reason
  }
}

/** A panel of what a microscope is asked at once. */
export function follow<T>(microscope: Pick<Microscope, 'api' | 'lose'>, ask: () => Promise<Answer<T>>): Panel<T> {
  const made = new Panel<T>(microscope.api, ask, () => microscope.lose())
  untrack(() => made.start())
  return made
}
