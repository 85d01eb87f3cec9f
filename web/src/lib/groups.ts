/** Groups over a photograph: a hue for each that it keeps, mixtures that go grey, and how strong each is at a point. */
import type { Rgb } from './colour'
import { placeOn, type Spot } from './grid'
import type { EditedGroups, Group, GroupEffects, GroupRank } from './types'
import { firstName } from './words'

/** Thousandths: `levels` are shares of the largest amount of all groups. */
export const FULL = 1000

/** In degrees, so that the first few are far apart. */
const HUES = [52, 240, 345, 158, 88, 302, 195, 18, 268, 122]

/** The hue of a group by its number; two in ten never share one. */
export const hue = (number: number): number => HUES[number % HUES.length]!

/** A colour of even lightness, by lightness (0 to 1), chroma and hue in degrees (OKLCH, Ottosson 2020). */
export function oklch(lightness: number, chroma: number, degrees: number): Rgb {
  const [a, b] = [chroma * Math.cos(radians(degrees)), chroma * Math.sin(radians(degrees))]
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ]
  return linear.map((value) => {
    const light = Math.min(Math.max(value, 0), 1)
    return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055))
  }) as unknown as Rgb
}

const LIGHTNESS = 0.74
const CHROMA = 0.15

/** The colour of a group in its key. */
export const keyColour = (number: number): string => `rgb(${oklch(LIGHTNESS, CHROMA, hue(number)).join(' ')})`

/** The colour and opacity of a place from the groups' shares there (0 to 1).

    Hues are averaged in proportion to the squares of the shares, so that a mixture of several goes grey; the article's
    rule (Building Blocks, 2018), over a photograph instead of on black. */
export function mixed(shares: readonly number[], numbers: readonly number[]): [...Rgb, number] {
  let [a, b, total, most] = [0, 0, 0, 0]
  shares.forEach((share, at) => {
    const weight = share * share
    a += weight * Math.cos(radians(hue(numbers[at]!)))
    b += weight * Math.sin(radians(hue(numbers[at]!)))
    total += weight
    most = Math.max(most, share)
  })
  if (total <= 0) return [0, 0, 0, 0]
  const purity = Math.hypot(a, b) / total
  const colour = oklch(LIGHTNESS, CHROMA * purity * purity, (Math.atan2(b, a) * 180) / Math.PI)
  return [...colour, Math.round(255 * 0.92 * Math.min(1, 1.2 * Math.sqrt(most)))]
}

/** RGBA pixels of all groups, one for each place. */
export function painted(rank: GroupRank, places: number): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(places * 4)
  const numbers = rank.groups.map((group) => group.colour)
  for (let i = 0; i < places; i++) {
    const shares = rank.groups.map((group) => (group.levels[i] ?? 0) / FULL)
    pixels.set(mixed(shares, numbers), i * 4)
  }
  return pixels
}

/** How strong a group is at a point of the photograph, 0 to 1, of the largest amount of all groups. */
export function strengthAt(group: Group, spot: Spot, height: number, width: number): number {
  const { row, column } = placeOn(spot, height, width)
  return (group.levels[row * width + column] ?? 0) / FULL
}

/** The number of groups on the slider that is nearest to what is asked for. */
export function nearestRank(ranks: readonly GroupRank[], wanted: number): GroupRank {
  return ranks.reduce((best, rank) => (Math.abs(rank.rank - wanted) < Math.abs(best.rank - wanted) ? rank : best))
}

export interface EffectRow {
  readonly label: string
  readonly index: number
  /** For each group as it is shown, and last the rest. */
  readonly effects: readonly number[]
  readonly measured: readonly number[]
}

/** The rows of the table, groups in the order shown; first the difference of the two labels that are asked about. */
export function effectRows(
  found: GroupEffects,
  groups: readonly Group[],
  of: number | null,
  rather: number | null,
): EffectRow[] {
  const order = [...groups.map((group) => group.index), found.rank]
  const rows = found.rows.map(({ label, index, effects, measured }) => ({
    label, index, effects: order.map((at) => effects[at] ?? 0), measured: order.map((at) => measured[at] ?? 0),
  }))
  const [one, other] = [of, rather].map((index) => rows.find((row) => row.index === index))
  if (!one || !other || rather === null) return rows
  const minus = (a: readonly number[], b: readonly number[]): number[] => a.map((value, at) => value - b[at]!)
  const label = `${firstName(one.label)} rather than ${firstName(other.label)}`
  const difference = { label, index: -1, effects: minus(one.effects, other.effects), measured: minus(one.measured, other.measured) }
  return [difference, ...rows]
}

/** The groups where they are after edits. */
export function afterEdits(rank: GroupRank, edited: EditedGroups): GroupRank {
  const levels = new Map(edited.groups.map((one) => [one.index, one.levels]))
  return { ...rank, groups: rank.groups.map((group) => ({ ...group, levels: levels.get(group.index) ?? group.levels })) }
}

/** By how much something changed, of what it was: -1 where nothing is left; null where there was nothing before. */
export const changed = (before: number, after: number): number | null => (before > 0 ? after / before - 1 : after > 0 ? null : 0)

/** For each row of the table by how much the label falls without each group in the edited model; null: not known. */
export function afterRows(
  edited: EditedGroups, rows: readonly EffectRow[], groups: readonly Group[], of: number | null, rather: number | null,
): (readonly number[] | null)[] {
  const order = [...groups.map((group) => group.index), edited.groups.length]
  const lost = (label: number | null): number[] | null => {
    const found = edited.labels.find((one) => one.index === label)?.measured
    return found ? order.map((at) => found[at] ?? 0) : null
  }
  return rows.map((row) => {
    const [one, other] = row.index < 0 ? [lost(of), lost(rather)] : [lost(row.index), null]
    return row.index < 0 && one && other ? one.map((value, at) => value - other[at]!) : row.index < 0 ? null : one
  })
}

/** The outline, as a path in units of places, of where a map is at least a share of its peak; empty where it is all zero. */
export function contour(levels: readonly number[], width: number, share = 0.5): string {
  const least = share * Math.max(...levels)
  const height = levels.length / width
  const inside = (row: number, column: number): boolean =>
    row >= 0 && column >= 0 && row < height && column < width && levels[row * width + column]! >= least
  if (least <= 0) return ''
  let path = ''
  for (let row = 0; row <= height; row++)
    for (let column = 0; column <= width; column++) {
      if (inside(row, column) !== inside(row - 1, column)) path += `M${column} ${row}h1`
      if (inside(row, column) !== inside(row, column - 1)) path += `M${column} ${row}v1`
    }
  return path
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180
