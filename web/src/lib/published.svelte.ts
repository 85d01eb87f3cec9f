/** A published copy: the answers of a server as files beside the page, or inside it; nothing is computed any more. */
import { SvelteMap } from 'svelte/reactivity'

import { fileOf } from './address'
import { BLANK, Gone, Refusal, routes, type Api, type Face } from './api'
import { unitAddress } from './dictionary'
import { sprite } from './sprite'
import { COUNT } from './state.svelte'
import type { Dictionary, Drawing, Effect, Found, Refused, UnitEffects } from './types'

/** What the page says of itself, in its element `published`. */
export interface Site {
  /** The view that the page opens with, as a path with its query. */
  start: string
  /** The command that makes it live. */
  command: string
  /** The hashes of the answers that are there: no other is asked for. */
  known?: string[]
  /** Where it has no files beside it: their contents; pictures as data: URLs. */
  files?: Record<string, unknown>
}

/** Asked for what only a model could answer. */
export class LiveOnly extends Error {
  constructor(command: string) {
    super(`This is not in the published copy. It is there live: ${command}`)
    this.name = 'LiveOnly'
  }
}

/** Pictures of equal size in rows, on one or several sheets. */
interface Sheets {
  side: number
  columns: number
  each: number
  count: number
  files: string[]
}

/** What is known of the pictures of units: those that were drawn by their addresses, pieces of photographs by channel. */
interface Pictures {
  drawn: Record<string, { at: number; response: number | null; peak: number | null; seen: number | null; steps: number; note: string }>
  sheets: Sheets
  /** `silent`: channels that no photograph excites, so that there is no piece for them. */
  guesses: Record<string, Sheets & { channels: number[]; silent: number[] }>
  provenance: Record<string, unknown>
}

/** One picture among those of some sheets. */
interface Place {
  sheets: Sheets
  at: number
  drawn: boolean
}

/** The effects of all units of a dictionary: places x ranks x labels, each label a number among `labels`; -1: none. */
interface Effects {
  labels: { index: number; label: string }[]
  each: number
  supports: number[]
  opposes: number[]
  gains: number[]
  losses: number[]
}

interface Known {
  layer: string
  channel: number
  words: string
}

const HITS = 12

const absent = (value: unknown): value is { $refused: Refused; $status: number } =>
  typeof value === 'object' && value !== null && '$refused' in value

/** The site that this page belongs to, or null where it came from a server. */
export function siteOf(page: Document): Site | null {
  const text = page.getElementById('published')?.textContent
  return text ? (JSON.parse(text) as Site) : null
}

export class Published implements Api {
  readonly published = true

  #answers = new Map<string, Promise<unknown>>()
  #sheets = new Map<string, Promise<HTMLImageElement>>()
  #cut = new Map<string, Promise<string>>()
  #faces = new SvelteMap<string, string>()
  #asked = new Set<string>()
  #inside = new Map<string, string>()
  #known = $state.raw<Pictures | null>(null)

  constructor(private readonly site: Site) {}

  model = () => this.read<never>(routes.model)
  images = () => this.read<never>(routes.images)
  upload = () => this.refuse<never>()
  cancel = async () => {}
  listen = () => () => {}
  sheet = (layer: string) => this.read<never>(routes.sheet(layer))
  faces = (addresses: string[]) => this.draw(addresses)
  labels = () => this.read<string[]>(routes.labels)
  standing = (query: Record<string, string>) => this.read<never>(routes.standing(query))
  measureStanding = () => this.refuse<never>()

  /** As many units of each place as were published, also where fewer are asked for. */
  dictionary = (image: string, layer: string) => this.read<Dictionary>(routes.dictionary(image, layer, COUNT))

  async effects(image: string, layer: string, row: number, column: number, channels: number[]): Promise<UnitEffects[]> {
    const [found, dictionary] = await Promise.all([
      this.read<Effects>(`/effects?${new URLSearchParams({ image, layer })}`),
      this.dictionary(image, layer),
    ])
    const first = (row * dictionary.width + column) * dictionary.count
    return Array.from({ length: dictionary.count }, (_, rank) => first + rank)
      .filter((at) => channels.includes(dictionary.channels[at]!))
      .map((at) => ({
        channel: dictionary.channels[at]!,
        magnitude: dictionary.magnitudes[at]!,
        supports: spoken(found, found.supports, found.gains, at),
        opposes: spoken(found, found.opposes, found.losses, at),
      }))
  }

  async draw(addresses: string[]): Promise<{ job: null; drawings: Drawing[] }> {
    const pictures = await this.pictures()
    return { job: null, drawings: await Promise.all(addresses.map((address) => this.drawing(pictures, address))) }
  }

  async record(): Promise<unknown> {
    return { provenance: (await this.pictures()).provenance }
  }

  async unit<T>(...about: Parameters<Api['unit']>): Promise<{ ready: T }> {
    return { ready: await this.read<T>(routes.unit(...about)) }
  }

  async study<T>(...about: Parameters<Api['study']>): Promise<{ ready: T }> {
    return { ready: await this.read<T>(routes.study(...about)) }
  }

  /** Units that were published, by their address or by a label that they speak for; without words some by lot. */
  async search(words: string): Promise<Found> {
    const known = await this.read<Known[]>('/units')
    const sought = words.trim().toLowerCase()
    const hits = sought
      ? known.filter((one) => unitAddress(one.layer, one.channel).toLowerCase().includes(sought) || one.words.toLowerCase().includes(sought))
      : Array.from({ length: known.length ? HITS : 0 }, () => known[Math.floor(Math.random() * known.length)]!)
    return {
      hits: hits.slice(0, HITS).map(({ layer, channel, words: said }) => ({ layer, channel, why: said ? `speaks for ${said}` : '' })),
      note: 'Only the units of the published copy are searched.',
    }
  }

  /** The small picture of a unit: blank until it is cut from its sheet, none where there is none. Reactive. */
  face(layer: string, channel: number): string {
    const key = unitAddress(layer, channel)
    const known = this.#faces.get(key)
    if (known === undefined && !this.#asked.has(key)) {
      this.#asked.add(key)
      void this.find(layer, channel).then((url) => this.#faces.set(key, url ?? ''), () => {})
    }
    return known ?? BLANK
  }

  guess = (layer: string, channel: number): string => this.face(layer, channel)

  /** The same on its sheet, which costs no more than the sheet; null until it is known where. Reactive. */
  onSheet(layer: string, channel: number): Face | null {
    if (!this.#known) void this.pictures().then((found) => (this.#known = found), () => {})
    const place = this.#known && placeOf(this.#known, layer, channel)
    const silent = this.#known?.guesses[layer]?.silent.includes(channel) ?? false
    if (!place) return silent ? { drawn: false, silent, sprite: null } : null
    const { sheets, at, drawn } = place
    const page = Math.floor(at / sheets.each)
    const on = Math.min(sheets.each, sheets.count - page * sheets.each)
    const columns = Math.min(sheets.columns, on)
    return { drawn, silent, sprite: sprite(this.address(sheets.files[page]!), columns, Math.ceil(on / columns), at % sheets.each) }
  }

  private async find(layer: string, channel: number): Promise<string | null> {
    const place = placeOf(await this.pictures(), layer, channel)
    return place && this.cut(place.sheets, place.at)
  }

  private async drawing(pictures: Pictures, address: string): Promise<Drawing> {
    const known = pictures.drawn[address]
    const nothing = { picture_url: null, guess_url: null, response: null, peak: null, photographs_peak: null, seconds: null }
    if (!known) return { ...nothing, address, state: 'failed', steps: null, note: new LiveOnly(this.site.command).message }
    const { response, peak, steps, note } = known
    const picture_url = await this.cut(pictures.sheets, known.at)
    return { ...nothing, address, state: 'ready', picture_url, response, peak, photographs_peak: known.seen, steps, note }
  }

  private pictures = () => this.read<Pictures>('/pictures')

  private refuse<T>(): Promise<T> {
    return Promise.reject(new LiveOnly(this.site.command))
  }

  private read<T>(request: string): Promise<T> {
    const file = fileOf(request)
    const known = this.#answers.get(file)
    if (known) return known as Promise<T>
    const answer = this.load(file).then((found) => {
      if (absent(found)) throw new Refusal(found.$status, found.$refused)
      return found
    })
    this.#answers.set(file, answer)
    answer.catch(() => this.#answers.delete(file))
    return answer as Promise<T>
  }

  private async load(file: string): Promise<unknown> {
    if (this.site.files) return file in this.site.files ? this.site.files[file] : this.refuse()
    if (this.site.known && !this.site.known.includes(file.slice(-13, -5))) return this.refuse()
    const answer = await fetch(`${file}.gz`).catch(() => {
      throw new Gone()
    })
    if (answer.status >= 500) throw new Gone()
    // A server that has the page for every address answers with the page.
    if (!answer.ok || answer.headers.get('content-type')?.startsWith('text/html')) return this.refuse()
    return unpacked(await answer.arrayBuffer())
  }

  /** One picture of a sheet, as the address of a picture of its own. */
  private cut(sheets: Sheets, at: number): Promise<string> {
    const file = sheets.files[Math.floor(at / sheets.each)]!
    const key = `${file} ${at}`
    const known = this.#cut.get(key) ?? this.paint(sheets, file, at % sheets.each)
    this.#cut.set(key, known)
    return known
  }

  private async paint({ side, columns }: Sheets, file: string, at: number): Promise<string> {
    const sheet = await this.sheetOf(file)
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = side
    canvas.getContext('2d')!.drawImage(sheet, (at % columns) * side, Math.floor(at / columns) * side, side, side, 0, 0, side, side)
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done))
    return blob ? URL.createObjectURL(blob) : BLANK
  }

  /** Where a sheet is: beside the page, or what the page holds of it as a short address. */
  private address(file: string): string {
    const held = this.site.files?.[file] as string | undefined
    if (!held) return file
    const url = this.#inside.get(file) ?? URL.createObjectURL(unwritten(held))
    this.#inside.set(file, url)
    return url
  }

  private sheetOf(file: string): Promise<HTMLImageElement> {
    const known = this.#sheets.get(file)
    if (known) return known
    const image = new Image()
    image.src = this.address(file)
    const sheet = image.decode().then(() => image)
    this.#sheets.set(file, sheet)
    return sheet
  }
}

function placeOf({ drawn, sheets, guesses }: Pictures, layer: string, channel: number): Place | null {
  const known = drawn[unitAddress(layer, channel)]
  if (known) return { sheets, at: known.at, drawn: true }
  const some = guesses[layer]
  const at = some?.channels.indexOf(channel) ?? -1
  return some && at >= 0 ? { sheets: some, at, drawn: false } : null
}

/** What a data: URL in base64 holds. */
function unwritten(url: string): Blob {
  const [, type, text] = /^data:([^;]*);base64,(.*)$/s.exec(url) ?? []
  return new Blob([Uint8Array.from(atob(text ?? ''), (sign) => sign.charCodeAt(0))], type ? { type } : {})
}

/** JSON by gzip, or as it is: some servers say of such a file that it is packed, and then the browser unpacked it. */
async function unpacked(content: ArrayBuffer): Promise<unknown> {
  const [first, second] = new Uint8Array(content)
  if (first !== 0x1f || second !== 0x8b) return new Response(content).json()
  return new Response(new Response(content).body!.pipeThrough(new DecompressionStream('gzip'))).json()
}

function spoken(found: Effects, labels: number[], values: number[], at: number): Effect[] {
  const first = at * found.each
  return Array.from({ length: found.each }, (_, i) => first + i)
    .filter((i) => labels[i]! >= 0)
    .map((i) => ({ ...found.labels[labels[i]!]!, effect: values[i]! }))
}
