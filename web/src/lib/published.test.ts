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
