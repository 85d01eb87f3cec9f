import { describe, expect, it, vi } from 'vitest'

import { served } from './api'
import { Kernel, PATIENCE, type Heard, type Widget } from './kernel.svelte'

interface Sent {
  id: string
  method?: string
  path?: string
  drop?: boolean
}

/** A widget whose kernel answers by `answer`: what it says for a path. */
function widget(answer: (sent: Sent, say: (said: Partial<Heard>, body?: string) => void, body: string) => void) {
  const hears = new Set<(content: Heard, buffers: (DataView | ArrayBuffer)[]) => void>()
  const sent: Sent[] = []
  const one: Widget = {
    send(content, _, buffers = []) {
      const message = content as Sent
      sent.push(message)
      if (message.drop) return
      const say = (said: Partial<Heard>, body?: string): void => {
        const buffer = body === undefined ? [] : [new DataView(new TextEncoder().encode(body).buffer)]
        for (const hear of hears) hear({ id: message.id, ...said }, buffer)
      }
      answer(message, say, buffers[0] ? new TextDecoder().decode(buffers[0]) : '')
    },
    on: (_, hear) => void hears.add(hear),
    off: (_, hear) => void hears.delete(hear),
  }
  return { one, sent, hears }
}

const json = { status: 200, kind: 'application/json', more: false }

describe('the kernel in place of a server', () => {
  it('asks, and answers with JSON whose pictures a browser can show', async () => {
    const { one, sent } = widget(({ path }, say) => {
      if (path === '/api/images') say(json, '[{"id":"a","canvas_url":"/api/images/a/canvas.png"}]')
      else say({ status: 200, kind: 'image/png', more: false }, 'PNG')
    })
    const [photo] = await served(new Kernel(one)).images()
    expect(photo!.canvas_url).toMatch(/^blob:.*#\/api\/images\/a\/canvas\.png$/)
    expect(await (await fetch(photo!.canvas_url.split('#')[0]!)).text()).toBe('PNG')
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /api/images', 'GET /api/images/a/canvas.png'])
  })

  it('asks for the record of a picture by what stands behind its #', async () => {
    const { one, sent } = widget((_, say) => say(json, '{}'))
    await served(new Kernel(one)).record('blob:x/y#/api/drawings/ab.json')
    expect(sent[0]!.path).toBe('/api/drawings/ab.json')
  })

  it('sends bodies as bytes', async () => {
    const bodies: string[] = []
    const { one } = widget((_, say, body) => {
      bodies.push(body)
      say(json, '{"job":null,"drawings":[]}')
    })
    await served(new Kernel(one)).draw(['a:1'])
    await served(new Kernel(one)).upload(new Blob(['photo']), 'p')
    expect(bodies).toEqual(['{"addresses":["a:1"]}', 'photo'])
  })

  it('tells the refusals of the kernel as those of a server', async () => {
    const { one } = widget((_, say) => say({ ...json, status: 404 }, '{"request":"a layer","reason":"there is none"}'))
    await expect(served(new Kernel(one)).labels()).rejects.toThrow('a layer: there is none.')
  })

  it('follows a job in whatever pieces its events come, in order', async () => {
    const { one } = widget(({ path }, say) => {
      if (!path!.startsWith('/api/events')) return say({ status: 200, kind: 'image/png', more: false }, 'P')
      const begun = { status: 200, kind: 'text/event-stream', more: true }
      say(begun, 'retry: 1000\n\nevent: finished\nda')
      say({ more: true }, 'ta: {"job":"j","drawing":{"address":"a:1","picture_url":"/api/drawings/k.png","guess_url":"/api/guesses?layer=a&channel=1"}}\n\n')
      say({ more: true }, 'event: end\ndata: {"job":"j","cancelled":false}\n\n')
    })
    const told: string[] = []
    await new Promise<void>((done) =>
      served(new Kernel(one)).listen('j', {
        progress: () => {},
        finished: ({ drawing }) => told.push(`${drawing.picture_url?.split('#')[1]} ${drawing.guess_url}`),
        end: ({ cancelled }) => {
          told.push(`end ${cancelled}`)
          done()
        },
        lost: () => told.push('lost'),
      }),
    )
    expect(told).toEqual(['/api/drawings/k.png null', 'end false'])
  })

  it('takes a kernel that does not hear for gone, and one that hears for slow', async () => {
    vi.useFakeTimers()
    const deaf = served(new Kernel(widget(() => {}).one)).labels()
    const told = expect(deaf).rejects.toThrow('does not answer')
    let answer = (): void => {}
    const slow = served(new Kernel(widget((_, say) => {
      say({ heard: true })
      answer = () => say(json, '["cat"]')
    }).one)).labels()
    await vi.advanceTimersByTimeAsync(PATIENCE * 2)
    answer()
    vi.useRealTimers()
    await told
    expect(await slow).toEqual(['cat'])
  })

  it('drops what nobody waits for any more, and hears nothing once it is closed', async () => {
    const { one, sent, hears } = widget((_, say) => say({ heard: true }))
    const kernel = new Kernel(one)
    const call = new AbortController()
    const asked = kernel.fetch('/api/labels', { signal: call.signal })
    await Promise.resolve()
    call.abort()
    await expect(asked).rejects.toThrow()
    expect(sent.at(-1)).toMatchObject({ drop: true })
    kernel.close()
    expect(hears.size).toBe(0)
  })
})
