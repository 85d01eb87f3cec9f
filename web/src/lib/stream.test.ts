/** One stream for all jobs: each hears its own, new ones join, the old stream goes when the new one is there. */
import { beforeEach, expect, it, vi } from 'vitest'

import { Stream, type Listener } from './stream'

class Source {
  closed = false
  told = new Map<string, (event: Event) => void>()

  constructor(readonly url: string) {}

  addEventListener(name: string, told: (event: Event) => void): void {
    this.told.set(name, told)
  }

  close(): void {
    this.closed = true
  }

  say(name: string, data: unknown = {}): void {
    this.told.get(name)!({ data: JSON.stringify(data) } as MessageEvent<string>)
  }
}

function toy() {
  const sources: Source[] = []
  const stream = new Stream((url) => {
    sources.push(new Source(url))
    return sources.at(-1)!
  })
  const listen = (job: string): { leave: () => void; heard: string[] } => {
    const heard: string[] = []
    const names = ['progress', 'work', 'finished', 'end', 'lost'] as const
    const listener = Object.fromEntries(names.map((name) => [name, () => heard.push(name)])) as unknown as Listener
    return { leave: stream.listen(job, listener), heard }
  }
  return { sources, listen }
}

beforeEach(() => void vi.useFakeTimers())

it('opens one stream for what is asked for together, and tells each its own', () => {
  const { sources, listen } = toy()
  const [a, b] = [listen('a'), listen('b')]
  vi.advanceTimersByTime(50)
  expect(sources.map((each) => each.url)).toEqual(['/api/events?jobs=a,b'])
  sources[0]!.say('work', { job: 'a' })
  sources[0]!.say('finished', { job: 'b' })
  sources[0]!.say('end', { job: 'b' })
  expect([a.heard, b.heard]).toEqual([['work'], ['finished', 'end']])
  expect(sources[0]!.closed).toBe(false)
  sources[0]!.say('end', { job: 'a' })
  expect(sources[0]!.closed).toBe(true)
})

it('is opened again for a new job and lets the old stream go when the new one is there', () => {
  const { sources, listen } = toy()
  const a = listen('a')
  vi.advanceTimersByTime(50)
  const b = listen('b')
  vi.advanceTimersByTime(50)
  expect(sources[1]!.url).toBe('/api/events?jobs=a,b')
  expect(sources[0]!.closed).toBe(false)
  sources[1]!.say('open')
  expect(sources[0]!.closed).toBe(true)
  sources[0]!.say('work', { job: 'a' })
  sources[1]!.say('progress', { job: 'b' })
  expect([a.heard, b.heard]).toEqual([[], ['progress']])
})

it('tells what was waited for that it is lost when it breaks off, and begins anew with what comes then', () => {
  const { sources, listen } = toy()
  const a = listen('a')
  vi.advanceTimersByTime(50)
  const b = listen('b')
  sources[0]!.say('error')
  expect([a.heard, b.heard]).toEqual([['lost'], []])
  vi.advanceTimersByTime(50)
  expect(sources[1]!.url).toBe('/api/events?jobs=b')
  sources[1]!.say('lost', { job: 'b' })
  expect(b.heard).toEqual(['lost'])
  expect(sources[1]!.closed).toBe(true)
})

it('hears nothing more of what was left, and closes when all is left', () => {
  const { sources, listen } = toy()
  const a = listen('a')
  a.leave()
  vi.advanceTimersByTime(50)
  expect(sources).toEqual([])
  const [b, c] = [listen('b'), listen('c')]
  vi.advanceTimersByTime(50)
  b.leave()
  sources[0]!.say('work', { job: 'b' })
  expect(b.heard).toEqual([])
  c.leave()
  expect(sources[0]!.closed).toBe(true)
})
