/** What positions owe to each other and to labels: maps of a byte a value, read in the page, and their colours. */
import type { Rgb } from './colour'
import type { Packed, Pairs, Place, TracedLayer } from './types'

/** Maps of one layer: of map i, the value at a place is its byte times the scale. */
export interface Maps {
  readonly count: number
  readonly height: number
  readonly width: number
  readonly scales: readonly number[]
  readonly levels: Int8Array
}

/** A cell of one of the layers. */
export interface Cell {
  readonly layer: string
  readonly place: Place
}

export type Fields = ReadonlyMap<string, Float32Array>

export const ORANGE: Rgb = [230, 97, 1]
export const BLUE: Rgb = [5, 113, 176]

/** Shown until one asks for more. */
export const SHOWN = 3

export function unpack({ count, height, width, scales, data }: Packed): Maps {
  const text = atob(data)
  const levels = new Int8Array(text.length)
  for (let i = 0; i < text.length; i++) levels[i] = text.charCodeAt(i)
  return { count, height, width, scales, levels }
}

/** One of the maps. */
export function mapAt(maps: Maps, index: number): Float32Array {
  const size = maps.height * maps.width
  const scale = maps.scales[index] ?? 0
  return Float32Array.from(maps.levels.subarray(index * size, (index + 1) * size), (level) => level * scale)
}

/** What all maps say at one place. */
export function valuesAt(maps: Maps, { row, column }: Place): Float32Array {
  const [size, at] = [maps.height * maps.width, row * maps.width + column]
  return Float32Array.from({ length: maps.count }, (_, i) => maps.levels[i * size + at]! * maps.scales[i]!)
}

/** All pairs of layers, ready to be read either way. */
export interface Known {
  readonly earlier: string
  readonly later: string
  readonly maps: Maps
}

export const read = (pairs: Pairs): Known[] =>
  pairs.pairs.map(({ earlier, later, maps }) => ({ earlier, later, maps: unpack(maps) }))

/** What a cell came from, in the layers before it, and what it leads to, in those after it: one tensor, read both ways. */
export function around(pairs: readonly Known[], cell: Cell, width: number): Map<string, Float32Array> {
  const at = cell.place.row * width + cell.place.column
  const found = new Map<string, Float32Array>()
  for (const { earlier, later, maps } of pairs) {
    if (later === cell.layer) found.set(earlier, mapAt(maps, at))
    if (earlier === cell.layer) found.set(later, valuesAt(maps, cell.place))
  }
  return found
}

/** One field less another. */
export function less(one: Fields, other: Fields): Map<string, Float32Array> {
  const found = new Map<string, Float32Array>()
  for (const [name, values] of one) found.set(name, values.map((value, i) => value - (other.get(name)?.[i] ?? 0)))
  return found
}

export const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0)
export const peak = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

export interface Vote {
  readonly index: number
  readonly label: string
  readonly value: number
}

/** Those that get most, and those from which most is taken, the strongest first. */
export function votes(classes: readonly { index: number; label: string }[], values: Float32Array, most: number, least: number): { for: Vote[]; against: Vote[] } {
  const all = classes.map(({ index, label }, i) => ({ index, label, value: values[i]! }))
  all.sort((a, b) => b.value - a.value)
  return {
    for: all.filter(({ value }) => value > 0).slice(0, most),
    against: all.filter(({ value }) => value < 0).slice(-least || all.length).reverse(),
  }
}

/** Which layers come before a cell's, and which after. */
export function role(layers: readonly TracedLayer[], name: string, cell: Cell): 'before' | 'here' | 'after' {
  const [own, other] = [cell.layer, name].map((each) => layers.findIndex((layer) => layer.name === each)) as [number, number]
  return own === other ? 'here' : other < own ? 'before' : 'after'
}

type Pixels = Uint8ClampedArray<ArrayBuffer>

/** To be multiplied with a picture: the colour of the factor that outweighs the other, by as much as it does; grey where
    both are equally much, white where nothing is. */
export function tints(maps: readonly [Float32Array, Float32Array], most: number): Pixels {
  const pixels: Pixels = new Uint8ClampedArray(maps[0].length * 4)
  for (let i = 0; i < maps[0].length; i++) {
    const [one, other] = [Math.max(maps[0][i]!, 0), Math.max(maps[1][i]!, 0)]
    const ground = step(Math.min(one, other), most)
    const share = step(Math.abs(one - other), most) / 255
    const [from, to] = [TO_GREY, one > other ? ORANGE : BLUE]
    for (let k = 0; k < 3; k++) pixels[i * 4 + k] = from[ground * 3 + k]! * (1 - share) + to[k]! * share
    pixels[i * 4 + 3] = 255
  }
  return pixels
}

/** To be multiplied with a picture: blue where it speaks for, orange where against, white where for nothing. */
export const sides = (values: Float32Array, most: number): Pixels => paint(values, most, TO_BLUE, TO_ORANGE)

/** To be multiplied with a picture: dark where nothing is, clear where much is, orange where it holds back. */
export const mask = (values: Float32Array, most: number): Pixels => paint(values, most, LIT, HELD)

/** A picture that nothing is multiplied with. */
export const clear = (length: number): Pixels => new Uint8ClampedArray(length * 4).fill(255)

/** The most of a colour that is laid over a picture, so that the picture is still seen. */
const FULL = 0.92

/** From one colour to another in 256 steps, by the square root, so that little is seen, too. */
function ramp(from: Rgb, to: Rgb, full: number): Uint8ClampedArray {
  const colours = new Uint8ClampedArray(256 * 3)
  for (let i = 0; i < 256; i++) for (let k = 0; k < 3; k++) colours[i * 3 + k] = from[k]! + ((to[k]! - from[k]!) * i * full) / 255
  return colours
}

const WHITE: Rgb = [255, 255, 255]
const DARK: Rgb = [38, 38, 40]
const TO_GREY = ramp(WHITE, [176, 176, 176], FULL)
const TO_BLUE = ramp(WHITE, BLUE, FULL)
const TO_ORANGE = ramp(WHITE, ORANGE, FULL)
const LIT = ramp(DARK, WHITE, 1)
const HELD = ramp(DARK, ORANGE, 1)

const step = (value: number, most: number): number => (most > 0 ? Math.round(255 * Math.sqrt(Math.min(value / most, 1))) : 0)

function paint(values: Float32Array, most: number, up: Uint8ClampedArray, down: Uint8ClampedArray): Pixels {
  const pixels: Pixels = new Uint8ClampedArray(values.length * 4)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const [colours, at] = [value < 0 ? down : up, step(Math.abs(value), most) * 3]
    for (let k = 0; k < 3; k++) pixels[i * 4 + k] = colours[at + k]!
    pixels[i * 4 + 3] = 255
  }
  return pixels
}

/** How many units of each side are shown after one more click, of so many that are known. */
export function more(shown: number, known: number): number {
  return shown >= known ? SHOWN : Math.min(shown <= SHOWN ? 12 : 24, known)
}

/** Labels that contain the words, those that begin with them first; no words: the `likely` ones. */
export function matching(labels: readonly string[], words: string, likely: readonly number[], count: number): number[] {
  const part = words.trim().toLowerCase()
  if (!part) return likely.slice(0, count)
  const [first, then]: [number[], number[]] = [[], []]
  labels.forEach((label, i) => {
    const at = label.toLowerCase().indexOf(part)
    if (at >= 0) (at === 0 || /[\s,]/.test(label[at - 1]!) ? first : then).push(i)
  })
  return [...first, ...then].slice(0, count)
}
