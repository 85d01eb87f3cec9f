/** The pictures of units: what is known of each, and the one job that draws what is wanted now. */
import { SvelteMap } from 'svelte/reactivity'

import { Gone, why, type Api } from './api'
import type { Drawing, Progress } from './types'

/** What is known of one unit's picture. */
export interface Sketch {
  readonly state: 'queued' | 'drawing' | 'ready' | 'failed'
  readonly drawing: Drawing
  /** The latest half-finished picture. */
  readonly progress: Progress | null
}

const REST = 250
const TRIES = 4

export class Sketches {
  readonly known = new SvelteMap<string, Sketch>()

  /** By who wants them, who asked last at the end. */
  #wanted = new Map<string, readonly string[]>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #job: { id: string; addresses: ReadonlySet<string>; close: () => void } | null = null
  #round = 0
  #tries = 0

  constructor(
    private readonly api: Api,
    private readonly gone: () => void,
    private readonly rest = REST,
  ) {}

  /** Say which pictures a figure shows, most wanted first; drawing begins when the reader has come to rest.

      Figures (`by`) do not take pictures from each other: all is drawn, what was asked for last first. */
  want(addresses: readonly string[], soon = false, by = ''): void {
    if (addresses.join() === (this.#wanted.get(by) ?? []).join() && !soon) return
    this.#wanted.delete(by)
    if (addresses.length) this.#wanted.set(by, addresses)
    this.#tries = 0
    this.#later(soon ? 0 : this.rest)
  }

  /** Ask once more for a picture that could not be drawn. */
  again(address: string): void {
    this.known.delete(address)
    this.resume()
  }

  /** Ask again for what is missing, as after the server came back. */
  resume(): void {
    this.#tries = 0
    this.#later(0)
  }

  /** Let go of the job: the page is closing, or nothing is wanted any more. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#round++
    this.#leave()
  }

  #later(delay: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#request(), delay)
  }

  #missing(): string[] {
    const wanted = new Set([...this.#wanted.values()].reverse().flat())
    return [...wanted].filter((address) => !['ready', 'failed'].includes(this.known.get(address)?.state ?? ''))
  }

  async #request(): Promise<void> {
    const missing = this.#missing()
    const job = this.#job
    if (job && missing.length && missing.every((address) => job.addresses.has(address))) return
    const round = ++this.#round
    if (!missing.length) return this.#leave()
    try {
      const answer = await this.api.draw(missing)
      if (round !== this.#round) {
        if (answer.job) this.api.cancel(answer.job).catch(() => {})
        return
      }
      // The new job first, then the end of the old one: what both draw goes on undisturbed.
      this.#leave()
      for (const drawing of answer.drawings) this.#learn(drawing)
      if (answer.job) this.#follow(answer.job, missing, round)
    } catch (error) {
      if (round !== this.#round) return
      this.#leave()
      if (error instanceof Gone) this.gone()
      else for (const address of missing) this.#fail(address, why(error))
    }
  }

  #follow(id: string, addresses: readonly string[], round: number): void {
    const again = (): void => {
      if (round !== this.#round) return
      this.#job = null
      if (this.#missing().length && this.#tries++ < TRIES) this.#later(this.rest * 2 ** this.#tries)
    }
    const close = this.api.listen(id, {
      progress: (event) => this.#sharpen(event),
      finished: (event) => this.#learn(event.drawing),
      end: again,
      lost: again,
    })
    this.#job = { id, addresses: new Set(addresses), close }
  }

  #leave(): void {
    const job = this.#job
    this.#job = null
    if (!job) return
    job.close()
    this.api.cancel(job.id).catch(() => {})
  }

  #learn(drawing: Drawing): void {
    const before = this.known.get(drawing.address)
    if (before?.state === 'ready' && drawing.state !== 'ready') return
    const state = drawing.state === 'ready' || drawing.state === 'failed' ? drawing.state : 'queued'
    const progress = state === 'ready' || state === 'failed' ? null : (before?.progress ?? null)
    this.known.set(drawing.address, { state: progress ? 'drawing' : state, drawing, progress })
  }

  #sharpen(progress: Progress): void {
    const before = this.known.get(progress.address)
    if (!before || before.state === 'ready') return
    this.#tries = 0
    this.known.set(progress.address, { ...before, state: 'drawing', progress })
  }

  #fail(address: string, note: string): void {
    const nothing = { picture_url: null, guess_url: null, response: null, peak: null, photographs_peak: null }
    this.#learn({ address, state: 'failed', ...nothing, steps: null, seconds: null, note })
  }
}
