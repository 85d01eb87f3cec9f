/** What if: edits as the texts that the model understands, in words for readers, and how they were done and undone. */
import { unitAddress } from './dictionary'
import type { Place } from './types'

/** What was edited before, and what was undone, nearest first. */
export interface History {
  readonly past: readonly Edits[]
  readonly future: readonly Edits[]
}

export type Edits = readonly string[]

export const fresh: History = { past: [], future: [] }

const equal = (a: Edits | undefined, b: Edits): boolean =>
  a !== undefined && a.length === b.length && a.every((text, at) => text === b[at])

/** Something was edited; `from`: what there was before. */
export const done = (history: History, from: Edits): History => ({ past: [from, ...history.past], future: [] })

/** What there was before, and the history from there; null: there was nothing. */
export function undone({ past, future }: History, now: Edits): { edits: Edits; history: History } | null {
  const [edits, ...rest] = past
  return edits ? { edits, history: { past: rest, future: [now, ...future] } } : null
}

export function redone({ past, future }: History, now: Edits): { edits: Edits; history: History } | null {
  const [edits, ...rest] = future
  return edits ? { edits, history: { past: [now, ...past], future: rest } } : null
}

/** The address changed by itself (back, forward): a step that is known is taken as such. */
export function travelled(history: History, from: Edits, to: Edits): History {
  if (equal(from, to)) return history
  if (equal(history.past[0], to)) return undone(history, from)!.history
  if (equal(history.future[0], to)) return redone(history, from)!.history
  return done(history, from)
}

/** With an edit more; the same thing again, and what it sets anew at the same place, takes the place of the old. */
export function withEdit(edits: Edits, text: string): Edits {
  const place = target(text)
  return [...edits.filter((each) => each !== text && (place === null || target(each) !== place)), text]
}

export const without = (edits: Edits, text: string): Edits => edits.filter((each) => each !== text)

/** As the server reads them. */
export const listed = (edits: Edits): string => `[${edits.join(', ')}]`

const layerAddress = (layer: string): string => unitAddress(layer, 0).slice(0, -2)
const spot = ({ row, column }: Place): string => `${row},${column}`

/** The address of a place of a layer, of a unit everywhere, of a unit at a place, of a layer. */
export const placeAddress = (layer: string, place: Place): string => `${layerAddress(layer)}@${spot(place)}`
export const unitHere = (layer: string, channel: number, place: Place): string =>
  `${unitAddress(layer, channel)}@${spot(place)}`
export { layerAddress, unitAddress }

export const mute = (address: string): string => `ablate(${address})`
export const scale = (address: string, factor: number): string => `scale(${address}, ${factor})`
export const transplant = (address: string, photo: string, from: Place): string =>
  `patch(${address}, ${JSON.stringify(`${photo}@${spot(from)}`)})`

const ONE = /^(ablate|scale|clamp|patch)\((`(?:[^`]|``)+`[^\s`(),]*(?:,\d+)?|[^\s`(),]+(?:,\d+)?)(?:, (.+))?\)$/
const ADDRESS = /^(.*?)(?:#([A-Za-z0-9_]+)\.(\d+))?(?::(\d+))?(?:@(\d+),(\d+))?$/

/** The one place that an edit is made at; null where it is none, or more is done there. */
export function target(text: string): string | null {
  return ONE.exec(text)?.[2] ?? null
}

/** The places of edits, to be judged. */
export const places = (edits: Edits): string[] => [
  ...new Set(edits.map(target).filter((place) => place !== null)),
]

/** An address in words. */
export function named(address: string): string {
  const [, layer = '', key, group, channel, row, column] = ADDRESS.exec(address) ?? []
  const where = row === undefined ? '' : ` at row ${Number(row) + 1}, column ${Number(column) + 1}`
  const short = layer.replaceAll('`', '').split('.').slice(-3).join('.')
  if (key !== undefined) return `group ${Number(group) + 1} of ${short}${where}`
  if (channel !== undefined) return `unit ${channel} of ${short}${where}`
  return where ? `place${where.slice(3)} of ${short}` : `all of ${short}`
}

/** An edit in words; what has none is told as it is written. */
export function told(text: string, photo: (id: string) => string = (id) => id): string {
  const [, kind, address, rest] = ONE.exec(text) ?? []
  if (kind === undefined || address === undefined) return text
  const what = named(address)
  if (kind === 'ablate') return rest === undefined ? `${what} muted` : rest === 'mean' ? `${what} at its mean` : text
  if (kind === 'scale') return `${what} × ${rest}`
  if (kind === 'clamp') return `${what} held at ${rest}`
  const [, id, row, column] = /^"([^"@]+)(?:@(\d+),(\d+))?"$/.exec(rest ?? '') ?? []
  if (id === undefined) return text
  return `${what} from ${photo(id)}${row === undefined ? '' : `, row ${Number(row) + 1}, column ${Number(column) + 1}`}`
}

/** Whether a key undoes (-1) or redoes (1), 0: neither. */
export function stepOf(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>): -1 | 0 | 1 {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return 0
  const key = event.key.toLowerCase()
  if (key === 'z') return event.shiftKey ? 1 : -1
  return key === 'y' && !event.shiftKey ? 1 : 0
}
