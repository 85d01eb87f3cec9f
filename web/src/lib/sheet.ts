/** The units of a layer as a sheet: in which order, which of them, and which rows of it are in sight. */
import type { Sheet } from './types'

export interface Order {
  readonly key: string
  readonly words: string
  /** Why it cannot be sorted by it; null where it can. */
  readonly missing: string | null
}

/** What a layer can be sorted by; a minus before a key: largest first. */
export function orders(sheet: Sheet): Order[] {
  const recorded = sheet.active ? null : 'not recorded'
  const labelled = sheet.selectivity ? null : (recorded ?? 'recorded without labels')
  return [
    { key: 'address', words: 'address', missing: null },
    { key: '-norm', words: 'weight norm', missing: sheet.norms ? null : sheet.why },
    { key: 'active', words: 'sparsity', missing: recorded },
    { key: '-selectivity', words: 'selectivity', missing: labelled },
    { key: 'label', words: 'label', missing: labelled },
  ]
}

/** What is sorted by, in whichever direction. */
export const keyOf = (sort: string | null): string => (sort ?? '').replace(/^-/, '')

/** The channels that fit the words, in order; ties by address, what has no number last. */
export function arranged(sheet: Sheet, sort: string | null, find: string | null): number[] {
  const words = (find ?? '').trim().toLowerCase()
  const all = Array.from({ length: sheet.channels }, (_, channel) => channel)
  const fitting = words ? all.filter((channel) => fits(sheet, channel, words)) : all
  const key = keyOf(sort)
  if (key === 'label' && sheet.labels)
    return fitting.sort((a, b) => labelOf(sheet, a).localeCompare(labelOf(sheet, b)) || a - b)
  const values = valuesOf(sheet, key)
  if (!values) return fitting
  const sign = sort?.startsWith('-') ? -1 : 1
  const value = (channel: number): number => values[channel] ?? NaN
  return fitting.sort((a, b) => {
    const [x, y] = [value(a), value(b)]
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b
    return sign * (x - y) || a - b
  })
}

/** The label over which a unit's mean is largest. */
export function labelOf(sheet: Sheet, channel: number): string {
  return sheet.names[sheet.labels?.[channel] ?? -1] ?? ''
}

/** The number that a unit is sorted by; null where there is none. */
export function valueOf(sheet: Sheet, channel: number, sort: string | null): number | null {
  return valuesOf(sheet, keyOf(sort))?.[channel] ?? null
}

export interface Cut {
  readonly first: number
  readonly last: number
  readonly height: number
}

/** Which rows of a grid of `count` cells are in sight (`last` is not), some more above and below, and its height. */
export function inSight(count: number, columns: number, row: number, top: number, screen: number, more = 3): Cut {
  const rows = Math.ceil(count / Math.max(columns, 1))
  const first = Math.min(Math.max(Math.floor(top / row) - more, 0), Math.max(rows - 1, 0))
  const last = Math.min(Math.ceil((top + screen) / row) + more, rows)
  return { first, last: Math.max(last, first), height: rows * row }
}

/** Where the arrow keys lead in a grid; null for any other key. */
export function stepped(at: number, key: string, columns: number, count: number): number | null {
  const moves: Record<string, number> = {
    ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns,
    PageDown: at + 5 * columns, PageUp: at - 5 * columns, Home: 0, End: count - 1,
  }
  const to = moves[key]
  return to === undefined ? null : Math.min(Math.max(to, 0), count - 1)
}

function fits(sheet: Sheet, channel: number, words: string): boolean {
  return /^:?\d+$/.test(words)
    ? String(channel).startsWith(words.replace(':', ''))
    : labelOf(sheet, channel).toLowerCase().includes(words)
}

function valuesOf(sheet: Sheet, key: string): readonly (number | null)[] | null {
  if (key === 'norm') return sheet.norms
  if (key === 'active') return sheet.active
  return key === 'selectivity' ? sheet.selectivity : null
}
