/** A published copy: its answers are unpacked by the page, or by the browser where the server says that they are packed. */
import { afterEach, expect, test, vi } from 'vitest'

import { Refusal, type Api } from './api'
import { LiveOnly, Published } from './published.svelte'

const HTML = { headers: { 'content-type': 'text/html' } }

afterEach(() => vi.unstubAllGlobals())

function copy(answer: () => Response, known?: string[]): { site: Published; asked: string[] } {
  const asked: string[] = []
  vi.stubGlobal('fetch', (file: string) => {
    asked.push(file)
    return Promise.resolve(answer())
  })
  return { site: new Published({ start: '/', command: 'hooke explore toy', ...(known && { known }) }), asked }
}

test('packed or unpacked, an answer is the same, and is asked for once', async () => {
  const text = JSON.stringify(['ant', 'bée'])
  const packed = await new Response(new Response(text).body!.pipeThrough(new CompressionStream('gzip'))).arrayBuffer()
  for (const body of [packed, text]) {
    const { site, asked } = copy(() => new Response(body))
    expect(await site.labels()).toEqual(['ant', 'bée'])
    await site.labels()
    expect(asked).toEqual(['data/labels.0aad4c7c.json.gz'])
  }
})

test('fewer units of a place than were published are among those', async () => {
  const { site, asked } = copy(() => new Response('{"count":8}'))
  const api: Api = site
  await Promise.all([api.dictionary('0a', 'act1', 8), api.dictionary('0a', 'act1', 3)])
  expect(asked).toHaveLength(1)
})

test('what is not there is said to be live, and not asked for where that is known', async () => {
  const { site, asked } = copy(() => new Response('', { status: 404 }), ['0aad4c7c'])
  await expect(site.model()).rejects.toThrow(LiveOnly)
  expect(asked).toEqual([])
  await expect(site.labels()).rejects.toThrow(LiveOnly)
  await expect(copy(() => new Response('<!doctype html>', HTML)).site.labels()).rejects.toThrow(LiveOnly)
})

test('a refusal that was published is one', async () => {
  const refused = { request: 'the grids of toy', reason: 'no layer has places', choices: [], next_step: '' }
  const { site } = copy(() => new Response(JSON.stringify({ $refused: refused, $status: 404 })))
  await expect(site.labels()).rejects.toThrow(Refusal)
})

test('a unit stands on its sheet, the last of which is no larger than what is on it', async () => {
  const about = { response: null, peak: null, seen: null, steps: 1, note: '' }
  const pictures = {
    drawn: { 'act1:0': { at: 0, ...about }, 'act1:5': { at: 5, ...about } },
    sheets: { side: 128, columns: 2, each: 4, count: 7, files: ['a.webp', 'b.webp'] },
    guesses: { act1: { side: 64, columns: 2, each: 4, count: 1, files: ['c.webp'], channels: [3], silent: [4] } },
    provenance: {},
  }
  const { site, asked } = copy(() => new Response(JSON.stringify(pictures)))
  expect(site.onSheet('act1', 0)).toBe(null)
  await vi.waitFor(() => expect(site.onSheet('act1', 0)?.sprite?.image).toBe('url("a.webp")'))
  expect(site.onSheet('act1', 5)).toEqual({
    drawn: true, silent: false, sprite: { image: 'url("b.webp")', size: '200% 200%', position: '100% 0%' },
  })
  expect(site.onSheet('act1', 3)).toEqual({ drawn: false, silent: false, sprite: { image: 'url("c.webp")', size: '100% 100%', position: '0% 0%' } })
  expect(site.onSheet('act1', 4)).toEqual({ drawn: false, silent: true, sprite: null })
  expect(site.onSheet('act1', 9)).toBe(null)
  expect(asked).toHaveLength(1)
})
