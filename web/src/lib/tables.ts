/** Answers as tables, for those who take them away: rows of named numbers and words, and their CSV. */
import type { Atlas, Changes, Dictionary, Families, Flow, Sheet, Spatial, Tuning, Density, Groups } from './types'
import { mapAt, unpack } from './tracing'

export type Cell = string | number | boolean | null
export type Row = Readonly<Record<string, Cell>>

/** RFC 4180: a head, a line for each row; what holds a comma, a quote or a line break is quoted. */
export function csv(rows: readonly Row[]): string {
  const head = [...new Set(rows.flatMap(Object.keys))]
  const lines = rows.map((row) => head.map((name) => field(row[name] ?? null)).join(','))
  return [head.map(field).join(','), ...lines, ''].join('\r\n')
}

function field(value: Cell): string {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

type Json = Record<string, unknown>
const isCell = (value: unknown): value is Cell => value === null || ['string', 'number', 'boolean'].includes(typeof value)

/**
 * The rows at the end of a path through lists: `layers.supporting|opposing`. What stands above is told in each row, under
 * its own name; where a step names several lists, the column `of` says which. Long texts (pictures) are left out.
 */
export function rowsAt(answer: unknown, path: string): Row[] {
  const [step, ...rest] = path.split('.')
  const found: Row[] = []
  const names = step!.split('|')
  for (const name of names) {
    for (const [at, each] of ((answer as Json)[name] as Json[]).entries()) {
      const own: Row = { ...(names.length > 1 ? { of: name } : {}), ...(isCell(each) ? { [name]: each } : flat(each)) }
      if (!rest.length) found.push(own)
      else
        for (const row of rowsAt(each, rest.join('.'))) {
          const above = Object.fromEntries(Object.entries(own).map(([key, value]) => [`${name}.${key}`, value]))
          found.push({ ...(Object.keys(own).length ? above : { [name]: at }), ...row })
        }
    }
  }
  return found
}

/** What an object says without lists of objects: its own cells, those of objects inside it, short lists as `name.0`. */
function flat(value: Json, before = ''): Row {
  let row: Record<string, Cell> = {}
  for (const [name, each] of Object.entries(value)) {
    const key = before + name
    if (isCell(each)) {
      if (typeof each !== 'string' || each.length < 400) row[key] = each
    } else if (Array.isArray(each)) {
      if (each.length <= 8 && each.every(isCell)) each.forEach((cell, at) => (row[`${key}.${at}`] = cell))
    } else if (each !== undefined) row = { ...row, ...flat(each as Json, `${key}.`) }
  }
  return row
}

/** Lists of equal length side by side. */
function columns(lists: Readonly<Record<string, readonly (Cell | undefined)[] | null | undefined>>): Row[] {
  const given = Object.entries(lists).flatMap(([name, list]) => (list ? [[name, list] as const] : []))
  const count = Math.max(0, ...given.map(([, list]) => list.length))
  return Array.from({ length: count }, (_, at) => Object.fromEntries(given.map(([name, list]) => [name, list[at] ?? null])))
}

const at = (path: string) => (answer: unknown): Row[] => rowsAt(answer, path)

function dictionary({ height, width, count, channels, magnitudes }: Dictionary): Row[] {
  const rows: Row[] = []
  for (let i = 0; i < height * width * count; i++) {
    const place = Math.floor(i / count)
    rows.push({
      row: Math.floor(place / width), column: place % width, rank: i % count, channel: channels[i]!, magnitude: magnitudes[i]!,
    })
  }
  return rows
}

/** The units of two models that differ most at each place. */
function changes({ width, count, channels, first, second }: Changes): Row[] {
  return channels.map((channel, i) => {
    const place = Math.floor(i / count)
    return { row: Math.floor(place / width), column: place % width, rank: i % count, channel, first: first[i]!, second: second[i]! }
  })
}

/** What each place of each layer votes for each of the likeliest labels. */
function votes({ layers, classes }: Spatial): Row[] {
  return layers.flatMap(({ name, width, votes }) => {
    const maps = unpack(votes)
    return classes.flatMap(({ label, index }, map) =>
      Array.from(mapAt(maps, map), (value, place) => ({
        layer: name, row: Math.floor(place / width), column: place % width, index, label, vote: value,
      })),
    )
  })
}

function groups({ layer, ranks }: Groups): Row[] {
  return ranks.flatMap(({ rank, groups }) =>
    groups.map(({ address, index, share, row, column, units }) => ({
      layer, groups: rank, group: index, address, share, row, column, units: units.join(' '),
    })),
  )
}

/** Every ribbon: from a group (null: the rest) to one of the next layer, and at the end what each of the last gives. */
function ribbons({ of, layers, edges }: Flow): Row[] {
  const group = (level: number, node: number): number | null => layers[level]?.groups[node]?.group?.index ?? null
  const between = edges.flatMap((edge, level) =>
    edge.flatMap((row, later) =>
      row.map((flow, earlier) => ({
        from: layers[level]!.layer, group: group(level, earlier), to: layers[level + 1]!.layer, to_group: group(level + 1, later),
        flow, measured: null,
      })),
    ),
  )
  const last = layers.length - 1
  const up = (layers[last]?.groups ?? []).map(({ gives, measured }, node) => ({
    from: layers[last]!.layer, group: group(last, node), to: of, to_group: null, flow: gives, measured,
  }))
  return [...between, ...up]
}

const density = ({ edges, counts }: Density): Row[] =>
  counts.map((count, bin) => ({ low: edges[bin] ?? null, high: edges[bin + 1] ?? null, count }))

const sheet = ({ channels, norms, active, selectivity, labels, names }: Sheet): Row[] =>
  columns({
    channel: Array.from({ length: channels }, (_, channel) => channel),
    norm: norms, active, selectivity, label: labels?.map((one) => names?.[one]),
  })

const tuning = ({ values, mean, low, high }: Tuning): Row[] => columns({ value: values, mean, low, high })

/** How the answer of each figure is a table, by the figure's name. */
export const TABLES: Readonly<Record<string, (answer: never) => Row[]>> = {
  semantic_dictionary: dictionary,
  activation_grid: at('layers'),
  spatial_attribution: votes,
  channel_attribution: at('layers.supporting|opposing'),
  groups,
  flow: ribbons,
  what_if: at('labels'),
  how_sure: at('rows'),
  alike: at('same'),
  confusions: at('confusions'),
  patch: at('own|every'),
  likeness: at('layers'),
  changes,
  density,
  examples: at('bins.examples'),
  selectivity: at('rows'),
  tuning,
  feeds: at('excite|inhibit'),
  fed: at('excite|inhibit'),
  ablation: at('rows'),
  units: sheet,
  families: ({ kinds }: Families) =>
    kinds.flatMap(({ kind, families }) =>
      families.flatMap(({ channels, places, likeness }, family) =>
        channels.map((channel, at) => ({ kind, family, likeness, channel, place: places[at]! })),
      ),
    ),
  atlas: ({ cells }: Atlas) => cells.map(({ units, ...cell }) => ({ ...cell, units: units.join(' ') })),
}
