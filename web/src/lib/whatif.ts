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
export const listed = (edits: Edits): string => edits.join('\n')

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
  if (key !== undefined) return `group ${group} of ${short}${where}`
  if (channel !== undefined) return `unit ${channel} of ${short}${where}`
  return where ? `place${where.slice(3)} of ${short}` : `all of ${short}`
}

const EDGE = /^(ablate|scale)\((.+?) -> (.+?)(?:, ([-+.\deE]+))?\)$/

/** An edit in words; what has none is told as it is written. */
export function told(text: string, photo: (id: string) => string = (id) => id): string {
  const [, , source, end, times] = EDGE.exec(text) ?? []
  if (source !== undefined && end !== undefined)
    return `what ${named(source)} gives to ${named(end)} ${times === undefined ? 'muted' : `× ${times}`}`
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

/** A choice of what to edit. */
export interface Choice {
  readonly address: string
  readonly words: string
  readonly kind: 'here' | 'everywhere' | 'group' | 'edge'
}

/** What can be edited: a place, its strongest units there and everywhere, all of the layer, groups, and edges from or to a unit. */
export function choices(
  layer: string,
  place: Place,
  units: readonly { channel: number; magnitude: string }[],
  groups: readonly { address: string; index: number }[] = [],
  way: { layer: string; channel: number; after: boolean } | null = null,
): Choice[] {
  const end = way && unitAddress(way.layer, way.channel)
  const edge = (one: string): string => (way?.after ? `${one} -> ${end}` : `${end} -> ${one}`)
  const name = (one: string): string => (way?.after ? `${one} → unit ${way.channel}` : `unit ${way?.channel} → ${one}`)
  return [
    { address: placeAddress(layer, place), words: 'the whole place', kind: 'here' },
    ...units.map(({ channel, magnitude }): Choice => ({
      address: unitHere(layer, channel, place), words: `unit ${channel} here, ${magnitude}`, kind: 'here',
    })),
    ...units.map(({ channel }): Choice => ({
      address: unitAddress(layer, channel), words: `unit ${channel} everywhere`, kind: 'everywhere',
    })),
    { address: layerAddress(layer), words: 'all of the layer', kind: 'everywhere' },
    ...groups.map(({ address, index }): Choice => ({ address, words: `group ${index}`, kind: 'group' })),
    ...(way ? [{ address: edge(placeAddress(layer, place)), words: name('the whole place'), kind: 'edge' as const }] : []),
    ...(way ? units : []).map(({ channel }): Choice => ({
      address: edge(unitAddress(layer, channel)), words: name(`unit ${channel}`), kind: 'edge',
    })),
  ]
}

/** Where a value stands on an axis from `low` to `high`, in percent. */
export const along = (value: number, low: number, high: number): number =>
  high > low ? (100 * (Math.min(Math.max(value, low), high) - low)) / (high - low) : 50

/** An axis that holds all values and zero, with round ends. */
export function axis(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)]
  const step = 10 ** Math.floor(Math.log10(Math.max(high - low, 1e-9))) / 4
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step]
}

/** How a change stands among those by random others, in words. */
export function standing(change: number, random: { low: number; high: number } | null, p: number | null, draws: number): string {
  if (!random || p === null) return ''
  if (p <= 0.05) return 'It stands out'
  return change < random.low || change > random.high
    ? `It is outside of them, but ${draws} are too few to be sure, or others change as much the other way`
    : 'It does not stand out'
}

/** What can be ordered and coloured by: three numbers for one thing, in logits, and how far they are apart. */
export interface Judged {
  readonly kind: string
  readonly linear: number
  readonly integrated: number
  readonly measured: number
  readonly disagreement: number
}

export type Order = 'effect' | 'disagreement'

/** The whole place first, then its units by what they do or by how little the three agree, then all else. */
export function ordered<T extends Judged>(rows: readonly T[], by: Order): T[] {
  const size = (row: T): number => (by === 'effect' ? Math.abs(row.measured) : row.disagreement)
  const first = rows[0]
  const units = rows.filter((row) => row !== first && row.kind === 'unit here').sort((a, b) => size(b) - size(a))
  const others = rows.filter((row) => row !== first && row.kind !== 'unit here')
  return first ? [first, ...units, ...others] : []
}

/** Agreement in words: under a fifth of the largest they agree; where signs differ they contradict each other. */
export function agreement({ linear, integrated, measured, disagreement }: Judged): 'agree' | 'differ' | 'contradict' {
  if (disagreement > 1 && Math.min(linear, integrated, measured) < 0 && Math.max(linear, integrated, measured) > 0)
    return 'contradict'
  return disagreement < 0.2 ? 'agree' : 'differ'
}
