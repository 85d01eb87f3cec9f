/** Two models before the same photograph: which layer, place and label of the second belong to the first's, what differs. */
import type { Entry } from './dictionary'
import type { AlikeLayer, Changes, Matched, Opinion, Place } from './types'
import { start, type View } from './url'
import { grouped } from './words'

/** Percentage points from which on a change of a probability is marked. */
export const POINTS = 5

/** What is told of a label in one model's list: what stands there, and how that differs from the other model. */
export interface Marked {
  readonly label: string
  readonly index: number
  readonly probability: number
  readonly rank: number
  /** Its rank and probability with the other model; null: the other has no such label. */
  readonly other: { rank: number; probability: number } | null
  /** The difference in words, as "rank 3 there", "+12 points"; empty: none worth a mark. */
  readonly marks: readonly string[]
}

/** The likeliest labels of one model (`side`), with what is different about each. */
export function marked(opinions: readonly Opinion[], side: 0 | 1, count = 5): Marked[] {
  const found: Marked[] = []
  for (const { label, indices, probabilities, ranks } of opinions) {
    const [index, probability, rank] = [indices[side], probabilities[side], ranks[side]]
    if (index == null || probability == null || rank == null || rank >= count) continue
    const [there, place] = [probabilities[1 - side], ranks[1 - side]]
    const other = there == null || place == null ? null : { rank: place, probability: there }
    const marks: string[] = []
    if (!other) marks.push('only this model has this label')
    else {
      if (other.rank !== rank) marks.push(`there ${ordinal(other.rank)}`)
      const points = Math.round((probability - other.probability) * 100)
      if (Math.abs(probability - other.probability) * 100 > POINTS) marks.push(`${points < 0 ? '−' : '+'}${Math.abs(points)} points`)
    }
    found.push({ label, index, probability, rank, other, marks })
  }
  return found.sort((a, b) => a.rank - b.rank)
}

export function ordinal(rank: number): string {
  const number = rank + 1
  const ending = number % 100 > 10 && number % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')
  return `${grouped(number)}${ending}`
}

/** The label of the second model that has the same text, the second of a text with the second; null: there is none. */
export function sameLabel(index: number | null, from: readonly string[], to: readonly string[]): number | null {
  if (index === null || index >= from.length) return null
  const text = from[index]!
  let which = from.slice(0, index).filter((each) => each === text).length
  const at = to.findIndex((each) => each === text && which-- === 0)
  return at < 0 ? null : at
}

/** What the second model is to show while the first shows a view: what has no counterpart is left out. */
export function followed(view: View, layer: string | null, pairs: readonly Matched[], of: number | null, rather: number | null): View {
  const other = pairs.find((pair) => pair.layer === layer)?.other ?? null
  return {
    ...view, layer: other, place: null, of, rather, drill: null, edits: [], patch: null, without: null, trace: null,
    group: null,
  }
}

/** What the first model is to show where the reader went on in the second's part of the page. */
export function led(from: View, first: View, pairs: readonly Matched[]): View {
  if (from.page !== 'workspace') return { ...from, beside: true }
  if (first.page !== 'workspace')
    return { ...start, layer: pairs.find((pair) => pair.other === from.layer)?.layer ?? null, beside: true }
  const { scaled, zoom, figure, groups } = from
  return { ...first, scaled, zoom, figure, groups, beside: true }
}

/** Which units of one list are not in the other. */
export function onlyIn(one: readonly Entry[], other: readonly Entry[]): ReadonlySet<number> {
  const known = new Set(other.map((entry) => entry.channel))
  return new Set(one.map((entry) => entry.channel).filter((channel) => !known.has(channel)))
}

/** One unit whose activation differs, and by how much. */
export interface Change {
  readonly channel: number
  readonly first: number
  readonly second: number
  readonly by: number
}

/** The units that differ most at a place, those that do not differ left out; and a unit drawn by lot. */
export function changesAt(found: Changes, place: Place): { units: Change[]; median: number; far: number } | null {
  const at = place.row * found.width + place.column
  const [median, far] = [found.median[at], found.far[at]]
  if (median === undefined || far === undefined) return null
  const units: Change[] = []
  for (let i = at * found.count; i < (at + 1) * found.count; i++) {
    const [first, second] = [found.first[i]!, found.second[i]!]
    if (first !== second) units.push({ channel: found.channels[i]!, first, second, by: second - first })
  }
  return { units, median, far }
}

/** The curve of a number over the tower, 0 at the bottom, as an SVG path in a box. */
export function curve(values: readonly number[], width: number, height: number): string {
  return values.map((value, i) => `${i ? 'L' : 'M'}${across(i, values.length, width).toFixed(1)} ${up(value, height).toFixed(1)}`).join('')
}

export const across = (i: number, count: number, width: number): number => (count < 2 ? width / 2 : (i / (count - 1)) * width)
export const up = (value: number, height: number): number => height * (1 - Math.min(Math.max(value, 0), 1))

/** The layer under a point of the curve. */
export function nearest(x: number, width: number, layers: readonly AlikeLayer[]): string | null {
  if (!layers.length) return null
  const at = Math.round((x / Math.max(width, 1)) * (layers.length - 1))
  return layers[Math.min(Math.max(at, 0), layers.length - 1)]!.layer
}
