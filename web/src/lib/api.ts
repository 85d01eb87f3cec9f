/** The only place that talks to the server, over whatever line there is to it. */
import type { Sprite } from './sprite'
import { Stream, type Events, type Listener } from './stream'
import type { Answer, Beside, Dictionary, Drawings, Found, MethodStanding, Model, Photo, Refused, Sheet, UnitEffects } from './types'

export type { Events, Listener }

/** The server understood and said no; `message` says why, in words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly view: Refused,
  ) {
    super(told(view))
    this.name = 'Refusal'
  }
}

/** A refusal as one or two sentences, with the choices that there are. */
export function told({ request, reason, choices, next_step }: Refused): string {
  const some = choices.length ? ` (${choices.slice(0, 8).join(', ')})` : ''
  const next = next_step ? ` ${next_step[0]!.toUpperCase()}${next_step.slice(1)}${some}.` : ''
  return `${request}: ${reason}${next ? '' : some}.${next}`
}

/** There is no server at the other end. */
export class Gone extends Error {
  constructor() {
    super('The server does not answer.')
    this.name = 'Gone'
  }
}

/** Shown until a picture is there, and where there is none. */
export const BLANK = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAIBRAA7'

/** Why something failed, in words. */
export const why = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export interface Api {
  /** It has only what was written into files: nothing is computed, drawn or uploaded. */
  readonly published?: boolean
  /** The second model that is shown beside this one, and what leads to it; only where `Model.beside` names one. */
  beside?(): Promise<Beside>
  below?(): Api
  model(): Promise<Model>
  images(): Promise<Photo[]>
  upload(file: Blob, name: string): Promise<Photo>
  dictionary(image: string, layer: string, count: number): Promise<Dictionary>
  effects(
    image: string,
    layer: string,
    row: number,
    column: number,
    channels: number[],
    signal: AbortSignal,
  ): Promise<UnitEffects[]>
  draw(addresses: string[]): Promise<Drawings>
  cancel(job: string): Promise<void>
  listen(job: string, listener: Listener): () => void
  record(url: string): Promise<unknown>
  /** Something about one unit that may take a while; `query` beyond its layer and channel. */
  unit<T>(what: string, layer: string, channel: number, query?: Record<string, string>): Promise<Answer<T>>
  /** A study of one photograph that may take a while; `query`: what it is asked. */
  study<T>(image: string, name: string, query?: Record<string, string>): Promise<Answer<T>>
  /** Something about all units of a layer that takes a while; only where there is a model. */
  layer?<T>(what: string, layer: string, query?: Record<string, string>): Promise<Answer<T>>
  faces(addresses: string[]): Promise<Drawings>
  /** The picture that a unit can be shown by before it was ever drawn. */
  guess(layer: string, channel: number): string
  /** The small picture that stands for a unit. */
  face(layer: string, channel: number): string
  /** The same as a part of a file of many, where it has such files. */
  onSheet?(layer: string, channel: number): Face | null
  sheet(layer: string): Promise<Sheet>
  search(words: string): Promise<Found>
  /** All labels of the model, each at its index. */
  labels(): Promise<string[]>
  /** How a method of attribution stands against its controls. */
  standing(query: Record<string, string>): Promise<MethodStanding>
  /** The same, measured where nothing is known. */
  measureStanding(query: Record<string, string>): Promise<Answer<MethodStanding>>
}

/** What stands for a unit: what it was drawn as, a piece of a photograph, or nothing, where none excites it. */
export interface Face {
  readonly drawn: boolean
  readonly silent: boolean
  readonly sprite: Sprite | null
}

/** What leads to the server. */
export interface Line {
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** The events of jobs. */
  events(path: string): Events
  /** The address of a picture, for the browser. */
  picture(path: string): string
}

/** The provenance and numbers of a finished picture. */
export function recordUrl(pictureUrl: string): string {
  return pictureUrl.replace(/\.png(?=$|\?)/, '.json')
}

async function refused(answer: Response, path: string): Promise<Refused> {
  const body: unknown = await answer.json().catch(() => null)
  if (body && typeof body === 'object' && 'reason' in body) return { request: path, reason: '', choices: [], next_step: '', ...(body as Partial<Refused>) }
  return { request: path, reason: `${answer.status} ${answer.statusText}`.trim(), choices: [], next_step: '' }
}

const part = encodeURIComponent

/** Where is asked what is also there in a published copy: its files go by the same. */
export const routes = {
  model: '/api/model',
  images: '/api/images',
  labels: '/api/labels',
  dictionary: (image: string, layer: string, count: number) =>
    `/api/images/${part(image)}/dictionary?${new URLSearchParams({ layer, count: String(count) })}`,
  unit: (what: string, layer: string, channel: number, query: Record<string, string> = {}) =>
    `/api/unit/${what}?${new URLSearchParams({ layer, channel: String(channel), ...query })}`,
  study: (image: string, name: string, query: Record<string, string> = {}) =>
    `/api/images/${part(image)}/${name}?${new URLSearchParams(query)}`,
  sheet: (layer: string) => `/api/layer?${new URLSearchParams({ layer })}`,
  standing: (query: Record<string, string>) => `/api/standing?${new URLSearchParams(query)}`,
}

/** A server at the end of a line. */
export function served(line: Line): Api {
  async function reach(path: string, init?: RequestInit): Promise<Response> {
    let answer: Response
    try {
      answer = await line.fetch(path, init)
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      throw new Gone()
    }
    if (!answer.ok) throw new Refusal(answer.status, await refused(answer, path))
    return answer
  }
  async function ask<T>(path: string, init?: RequestInit): Promise<T> {
    const answer = await reach(path, init)
    if (answer.status === 204) return undefined as T
    return (await answer.json()) as T
  }
  async function later<T>(path: string): Promise<Answer<T>> {
    const answer = await reach(path)
    return answer.status === 202 ? ((await answer.json()) as { job: string }) : { ready: (await answer.json()) as T }
  }
  const post = <T>(path: string, body: unknown): Promise<T> =>
    ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })

  const stream = new Stream((path) => line.events(path))

  return {
    model: () => ask(routes.model),
    images: () => ask(routes.images),
    upload: (file, name) =>
      ask(`/api/images?${new URLSearchParams({ name })}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/octet-stream' },
        body: file,
      }),
    dictionary: (...about) => ask(routes.dictionary(...about)),
    effects: (image, layer, row, column, channels, signal) => {
      const query = { layer, row: String(row), column: String(column), channels: channels.join(',') }
      return ask(`/api/images/${part(image)}/effects?${new URLSearchParams(query)}`, { signal })
    },
    draw: (addresses) => post('/api/drawings', { addresses }),
    cancel: async (job) => void (await reach(`/api/jobs/${part(job)}`, { method: 'DELETE', keepalive: true })),
    listen: (job, listener) => stream.listen(job, listener),
    record: (url) => ask(url),
    unit: (...about) => later(routes.unit(...about)),
    study: (...about) => later(routes.study(...about)),
    layer: (what, layer, query = {}) => later(`/api/layer/${part(what)}?${new URLSearchParams({ layer, ...query })}`),
    faces: (addresses) => post('/api/faces', { addresses }),
    guess: (layer, channel) => line.picture(`/api/guesses?${new URLSearchParams({ layer, channel: String(channel) })}`),
    face: (layer, channel) => line.picture(`/api/face?${new URLSearchParams({ layer, channel: String(channel) })}`),
    sheet: (layer) => ask(routes.sheet(layer)),
    search: (words) => ask(`/api/search?${new URLSearchParams({ q: words })}`),
    labels: () => ask(routes.labels),
    standing: (query) => ask(routes.standing(query)),
    measureStanding: (query) => later(`/api/standing/measured?${new URLSearchParams(query)}`),
    beside: () => ask('/api/beside'),
    below: () => served(under(line, '/beside')),
  }
}

/** The routes below a path. */
const under = (line: Line, root: string): Line => ({
  fetch: (path, init) => line.fetch(path.startsWith(root) ? path : root + path, init),
  events: (path) => line.events(root + path),
  picture: (path) => line.picture(root + path),
})

/** The server that this page came from. */
export const http: Api = served({
  fetch: (path, init) => fetch(path, init),
  events: (path) => new EventSource(path),
  picture: (path) => path,
})
