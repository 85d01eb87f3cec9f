/** The one stream of a page: what happens to all that it waits for.

    A browser keeps few connections to one server, so jobs do not have one each. A job that is new opens the stream
    again with all that is waited for, and the old one is let go when the new one is there: the server tells first where
    everything stands, so nothing is missed. */
import type { End, Finished, Progress, Work } from './types'

/** What is told of a job; `lost` when the stream broke off before its end. */
export interface Listener {
  progress(event: Progress): void
  work?(event: Work): void
  finished(event: Finished): void
  end(event: End): void
  lost(): void
}

/** As much of an EventSource as is needed. */
export interface Events {
  addEventListener(type: string, listener: (event: Event) => void): void
  close(): void
}

/** Milliseconds in which new jobs gather before the stream is opened again. */
const GATHER = 20
const NAMES = ['progress', 'work', 'finished', 'end'] as const

export class Stream {
  #listeners = new Map<string, Listener>()
  #source: Events | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly open: (path: string) => Events) {}

  /** Hear of a job until it is over, or until what is returned is called. */
  listen(job: string, listener: Listener): () => void {
    this.#listeners.set(job, listener)
    this.#timer ??= setTimeout(() => this.#connect(), GATHER)
    return () => {
      if (this.#listeners.get(job) === listener) this.#forget(job)
    }
  }

  #forget(job: string): void {
    this.#listeners.delete(job)
    if (this.#listeners.size) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#source?.close()
    this.#source = null
  }

  #connect(): void {
    this.#timer = undefined
    const jobs = [...this.#listeners.keys()]
    const before = this.#source
    const source = (this.#source = this.open(`/api/events?jobs=${jobs.map(encodeURIComponent).join(',')}`))
    source.addEventListener('open', () => before?.close())
    for (const name of NAMES)
      source.addEventListener(name, (event) => {
        if (source === this.#source) this.#tell(name, JSON.parse((event as MessageEvent<string>).data))
      })
    source.addEventListener('lost', (event) => this.#lose([JSON.parse((event as MessageEvent<string>).data).job]))
    source.addEventListener('error', () => {
      source.close()
      before?.close()
      if (source === this.#source) this.#lose(jobs)
    })
  }

  #tell(name: (typeof NAMES)[number], event: { job: string }): void {
    const listener = this.#listeners.get(event.job)
    if (name === 'end') this.#forget(event.job)
    listener?.[name]?.(event as never)
  }

  #lose(jobs: readonly string[]): void {
    for (const job of jobs) {
      const listener = this.#listeners.get(job)
      this.#forget(job)
      listener?.lost()
    }
  }
}
