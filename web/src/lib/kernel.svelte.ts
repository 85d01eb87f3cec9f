/** The kernel of a notebook in place of a server: the same questions and answers, as messages of a widget. */
import { SvelteMap } from 'svelte/reactivity'

import { BLANK, Gone, type Events, type Line } from './api'

/** As much of a widget's model as is needed. */
export interface Widget {
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void
  on(event: 'msg:custom', hear: (content: Heard, buffers: (DataView | ArrayBuffer)[]) => void): void
  off(event: 'msg:custom', hear: (content: Heard, buffers: (DataView | ArrayBuffer)[]) => void): void
}

/** What the kernel says: that it heard a question, or its answer; one of several parts where there is `more`. */
export interface Heard {
  id: string
  heard?: boolean
  status?: number
  kind?: string
  more?: boolean
}

type Part = (said: Heard, body: Uint8Array<ArrayBuffer>) => void

/** A kernel that does not even hear is busy, or gone. */
export const PATIENCE = 6000
/** Addresses of pictures within an answer. */
const PICTURES = /"(picture_url|guess_url|sheet_url|canvas_url|thumbnail_url)":\s*"(\/[^"]+)"/g
const EMPTY = [204, 304]

export class Kernel implements Line {
  #count = 0
  #asked = new Map<string, { part: Part; gone: () => void; timer: ReturnType<typeof setTimeout> | undefined }>()
  #pictures = new Map<string, Promise<string>>()
  #shown = new SvelteMap<string, string>()
  /** Several views of one widget hear the same messages. */
  readonly #name = Math.random().toString(36).slice(2)

  constructor(private readonly widget: Widget) {
    widget.on('msg:custom', this.#hear)
  }

  close(): void {
    this.widget.off('msg:custom', this.#hear)
    for (const id of [...this.#asked.keys()]) this.#drop(id)
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await this.#whole(path, init)
    if (answer.kind !== 'application/json') return respond(answer.status, answer.kind, answer.body)
    const text = await this.#withPictures(new TextDecoder().decode(answer.body))
    return respond(answer.status, answer.kind, new TextEncoder().encode(text))
  }

  events(path: string): Events {
    const target = new EventTarget()
    const fail = (): void => {
      if (closed) return
      target.dispatchEvent(new Event('error'))
    }
    let text = ''
    let closed = false
    let turn = Promise.resolve()
    const decoder = new TextDecoder()
    const tell = async (block: string): Promise<void> => {
      const [type, data] = [/^event: (.*)$/m.exec(block)?.[1], /^data: (.*)$/m.exec(block)?.[1]]
      if (type && data && !closed) target.dispatchEvent(new MessageEvent(type, { data: await this.#withPictures(data) }))
    }
    const id = this.#ask(
      path,
      {},
      (said, body) => {
        if (said.status === 200) target.dispatchEvent(new Event('open'))
        text += decoder.decode(body, { stream: true })
        const blocks = text.split('\n\n')
        text = blocks.pop()!
        for (const block of blocks) turn = turn.then(() => tell(block)).catch(fail)
        if (!said.more || (said.status ?? 200) >= 400) turn = turn.then(fail)
      },
      fail,
    )
    return {
      addEventListener: (type, listener) => target.addEventListener(type, listener),
      close: () => {
        closed = true
        this.#drop(id)
      },
    }
  }

  /** Blank until it is there. Reactive. */
  picture(path: string): string {
    if (!this.#pictures.has(path)) void this.#picture(path).then((url) => this.#shown.set(path, url), () => {})
    return this.#shown.get(path) ?? BLANK
  }

  /** The answer with pictures that a browser can show; each still says behind its # which it is. */
  async #withPictures(text: string): Promise<string> {
    const found = new Map<string, string>()
    for (const [, kind, path] of text.matchAll(PICTURES)) if (kind !== 'guess_url') found.set(path!, BLANK)
    await Promise.all([...found.keys()].map(async (path) => found.set(path, await this.#picture(path).catch(() => BLANK))))
    return text.replace(PICTURES, (_, kind: string, path: string) =>
      // Guesses are many: they are asked for where they are shown.
      kind === 'guess_url' ? `"${kind}":null` : `"${kind}":"${found.get(path)}"`,
    )
  }

  #picture(path: string): Promise<string> {
    const known = this.#pictures.get(path)
    if (known) return known
    const asked = this.#whole(path, {}).then(({ status, kind, body }) => {
      if (status !== 200) throw new Gone()
      return `${URL.createObjectURL(new Blob([body], { type: kind }))}#${path}`
    })
    this.#pictures.set(path, asked)
    asked.catch(() => this.#pictures.delete(path))
    return asked
  }

  async #whole(path: string, init: RequestInit): Promise<{ status: number; kind: string; body: Uint8Array<ArrayBuffer> }> {
    const body = init.body instanceof Blob ? await init.body.arrayBuffer() : undefined
    return new Promise((answer, refuse) => {
      const id = this.#ask(
        path,
        { method: init.method, body: body ?? (init.body as string | undefined) },
        ({ status = 200, kind = '' }, part) => answer({ status, kind, body: part }),
        () => refuse(new Gone()),
      )
      init.signal?.addEventListener('abort', () => {
        this.#drop(id)
        refuse(init.signal!.reason)
      })
    })
  }

  #ask(path: string, { method = 'GET', body }: { method?: string | undefined; body?: string | ArrayBuffer | undefined }, part: Part, gone: () => void): string {
    const id = `${this.#name} ${++this.#count}`
    const timer = setTimeout(() => {
      this.#asked.delete(id)
      gone()
    }, PATIENCE)
    this.#asked.set(id, { part, gone, timer })
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body).buffer : body
    // What is behind the # of a picture is where it came from.
    this.widget.send({ id, method, path: path.slice(path.indexOf('#') + 1) }, undefined, bytes ? [bytes] : [])
    return id
  }

  #drop(id: string): void {
    const asked = this.#asked.get(id)
    if (!asked) return
    clearTimeout(asked.timer)
    this.#asked.delete(id)
    this.widget.send({ id, drop: true })
  }

  #hear = (said: Heard, buffers: (DataView | ArrayBuffer)[]): void => {
    const asked = this.#asked.get(said.id)
    if (!asked) return
    clearTimeout(asked.timer)
    if (said.heard) return
    if (!said.more) this.#asked.delete(said.id)
    asked.part(said, bytes(buffers[0]))
  }
}

function bytes(buffer: DataView | ArrayBuffer | undefined): Uint8Array<ArrayBuffer> {
  if (!buffer) return new Uint8Array()
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer)
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength)
}

function respond(status: number, kind: string, body: Uint8Array<ArrayBuffer>): Response {
  return new Response(EMPTY.includes(status) ? null : body, { status, headers: { 'Content-Type': kind } })
}
