/** A part of a photograph that is searched: its geometry in whole percent of the photograph, moved and sized by keys. */
import { clamp, type Spot } from './grid'
import type { Place } from './types'

export interface Area {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** The smallest side, in percent. */
export const LEAST = 3

/** The area between two points, each coordinate 0 to 1, however they were drawn. */
export function between(a: Spot, b: Spot): Area {
  const side = (from: number, to: number): [number, number] => {
    const [low, high] = [Math.min(from, to), Math.max(from, to)].map((value) => Math.round(clamp(value, 0, 1) * 100)) as [number, number]
    return high - low >= LEAST ? [low, high] : [Math.min(low, 100 - LEAST), Math.min(low, 100 - LEAST) + LEAST]
  }
  const [[left, right], [top, bottom]] = [side(a.x, b.x), side(a.y, b.y)]
  return { left, top, right, bottom }
}

/** Three places by three about a place of a grid, where the search begins. */
export function around(place: Place, rows: number, columns: number): Area {
  const reach = (at: number, count: number): [number, number] => [(at - 1) / count, (at + 2) / count]
  const [[top, bottom], [left, right]] = [reach(place.row, rows), reach(place.column, columns)]
  return between({ x: left, y: top }, { x: right, y: bottom })
}

/** The same area elsewhere, inside the photograph. */
export function moved(area: Area, across: number, down: number): Area {
  const [x, y] = [clamp(Math.round(across), -area.left, 100 - area.right), clamp(Math.round(down), -area.top, 100 - area.bottom)]
  return { left: area.left + x, right: area.right + x, top: area.top + y, bottom: area.bottom + y }
}

/** The area with its lower right corner elsewhere. */
export function sized(area: Area, across: number, down: number): Area {
  return {
    ...area,
    right: clamp(Math.round(area.right + across), area.left + LEAST, 100),
    bottom: clamp(Math.round(area.bottom + down), area.top + LEAST, 100),
  }
}

/** What a key does to an area: arrows move it, with Shift they size it; null: the key is none of them. */
export function keyed(area: Area, key: string, shift: boolean, step = 4): Area | null {
  const ways: Record<string, [number, number]> = {
    ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step],
  }
  const way = ways[key]
  if (!way) return null
  return shift ? sized(area, ...way) : moved(area, ...way)
}

/** An area as text: left,top,right,bottom in percent. */
export const written = (area: Area): string => [area.left, area.top, area.right, area.bottom].join(',')

export function parseBox(text: string | null): Area | null {
  const [, left, top, right, bottom] = (/^(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})$/.exec(text ?? '') ?? []).map(Number)
  if (left === undefined || top === undefined || right === undefined || bottom === undefined) return null
  return left < right && top < bottom && right <= 100 && bottom <= 100 ? { left, top, right, bottom } : null
}
