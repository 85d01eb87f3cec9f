/** The geometry of a layer's grid over the photograph. */
import type { Layer, Place } from './types'

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Box extends Size {
  readonly x: number
  readonly y: number
}

/** The smallest side, in CSS pixels, at which the place under the pointer is still seen. */
const LEAST = 9

export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)

/** The place of a grid of `rows` x `columns` under a point of a picture. */
export function placeAt(x: number, y: number, picture: Size, rows: number, columns: number): Place {
  return {
    row: clamp(Math.floor((y / picture.height) * rows), 0, rows - 1),
    column: clamp(Math.floor((x / picture.width) * columns), 0, columns - 1),
  }
}

/** Where a place lies on a picture; small ones are grown about their centre so that they can be seen. */
export function boxOf(place: Place, picture: Size, rows: number, columns: number): Box {
  const width = Math.max(picture.width / columns, LEAST)
  const height = Math.max(picture.height / rows, LEAST)
  const x = ((place.column + 0.5) * picture.width) / columns - width / 2
  const y = ((place.row + 0.5) * picture.height) / rows - height / 2
  return { x: clamp(x, 0, picture.width - width), y: clamp(y, 0, picture.height - height), width, height }
}

/** What a place can see at most: its receptive field of `side` input pixels, clipped to the picture. */
export function fieldOf(
  place: Place,
  side: number,
  input: Size,
  picture: Size,
  rows: number,
  columns: number,
): Box | null {
  const reachX = ((side / input.width) * picture.width) / 2
  const reachY = ((side / input.height) * picture.height) / 2
  const middleX = ((place.column + 0.5) * picture.width) / columns
  const middleY = ((place.row + 0.5) * picture.height) / rows
  const x = Math.max(middleX - reachX, 0)
  const y = Math.max(middleY - reachY, 0)
  const right = Math.min(middleX + reachX, picture.width)
  const bottom = Math.min(middleY + reachY, picture.height)
  const whole = x === 0 && y === 0 && right === picture.width && bottom === picture.height
  return whole ? null : { x, y, width: right - x, height: bottom - y }
}

/** The hairlines of a grid as an SVG path; none where they would lie closer than 7 pixels. */
export function hairlines(picture: Size, rows: number, columns: number): string {
  if (picture.width / columns < 7 || picture.height / rows < 7) return ''
  const lines: string[] = []
  for (let i = 1; i < columns; i++) lines.push(`M${round((i * picture.width) / columns)} 0V${round(picture.height)}`)
  for (let i = 1; i < rows; i++) lines.push(`M0 ${round((i * picture.height) / rows)}H${round(picture.width)}`)
  return lines.join('')
}

/** The elbow from a place to what is said about it: across to the right at the height `to`, or down below. */
export function leader(box: Box, picture: Size, gap: number, side: 'right' | 'below', to = 0): string {
  const middleX = round(box.x + box.width / 2)
  const middleY = round(box.y + box.height / 2)
  if (side === 'below') return `M${middleX} ${round(box.y + box.height)}V${round(picture.height + gap)}`
  const turn = round(picture.width + gap / 2)
  return `M${round(box.x + box.width)} ${middleY}H${turn}V${round(to)}H${round(picture.width + gap)}`
}

/** The same place in another layer's grid. */
export function carry(place: Place, from: Size, to: Size): Place {
  return {
    row: clamp(Math.floor(((place.row + 0.5) * to.height) / from.height), 0, to.height - 1),
    column: clamp(Math.floor(((place.column + 0.5) * to.width) / from.width), 0, to.width - 1),
  }
}

/** A point of a picture, each coordinate 0 to 1. */
export interface Spot {
  readonly x: number
  readonly y: number
}

/** The middle of a place of a grid of `rows` x `columns`. */
export function middle(place: Place, rows: number, columns: number): Spot {
  return { x: (place.column + 0.5) / columns, y: (place.row + 0.5) / rows }
}

/** The place of a grid of `rows` x `columns` that a point lies in. */
export const placeOn = (spot: Spot, rows: number, columns: number): Place => placeAt(spot.x, spot.y, { width: 1, height: 1 }, rows, columns)

type Grid = Pick<Layer, 'height' | 'width'> | null

/** The place of a layer under a spot; null where the layer has no places. */
export const placeOf = (spot: Spot | null, layer: Grid): Place | null =>
  spot && layer?.height && layer.width ? placeOn(spot, layer.height, layer.width) : null

/** The middle of a place of a layer; null where the layer has no places. */
export const middleOf = (place: Place | null, layer: Grid): Spot | null =>
  place && layer?.height && layer.width ? middle(place, layer.height, layer.width) : null

/** The point of its element that the pointer is on, just below 1 at the end; near it where the pointer is outside. */
export function spotUnder(event: MouseEvent): Spot {
  const frame = (event.currentTarget as Element).getBoundingClientRect()
  const inside = (value: number): number => clamp(value, 0, 0.99999)
  return { x: inside((event.clientX - frame.left) / frame.width), y: inside((event.clientY - frame.top) / frame.height) }
}

/** What a key asks of a grid: to go to another place (arrows), to choose the one it is at (Enter, Space), or nothing. */
export function pressed(event: KeyboardEvent, place: Place, rows: number, columns: number): Place | 'choose' | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null
  const found = step(place, event.key, event.shiftKey, rows, columns) ?? (event.key === 'Enter' || event.key === ' ' ? 'choose' : null)
  if (found) event.preventDefault()
  return found
}

/** A step from a place by an arrow key; null where the key is no arrow. */
export function step(place: Place, key: string, far: boolean, rows: number, columns: number): Place | null {
  const by = far ? Math.max(2, Math.round(Math.max(rows, columns) / 7)) : 1
  const moves: Record<string, [number, number]> = {
    ArrowUp: [-by, 0],
    ArrowDown: [by, 0],
    ArrowLeft: [0, -by],
    ArrowRight: [0, by],
    Home: [0, -columns],
    End: [0, columns],
    PageUp: [-rows, 0],
    PageDown: [rows, 0],
  }
  const move = moves[key]
  if (!move) return null
  return { row: clamp(place.row + move[0], 0, rows - 1), column: clamp(place.column + move[1], 0, columns - 1) }
}

export const equal = (a: Place | null, b: Place | null): boolean =>
  a === b || (a !== null && b !== null && a.row === b.row && a.column === b.column)

const round = (value: number): number => Math.round(value * 10) / 10
