/** The cells of an activation grid: how large each is, which part of a layer is looked at, and how they are painted. */
import type { Box, Size, Spot } from './grid'

/** Sides of cells scaled by magnitude, in parts of a cell's: of a vector of length 0, and what the longest has more. */
const LEAST = 0.24
const SPAN = 0.67

/** Each zoom shows so much less of the photograph, and at most so often. */
export const STEP = 1.5
export const MOST = 3

/** The side of the loupe in pixels. */
export const LOUPE = 74

/** A grid on its sheet: all cells side by side. */
export interface Cells {
  readonly rows: number
  readonly columns: number
  readonly norms: readonly number[]
}

/** Sides of the cells in parts of a cell's; `scaled` from 0 (all 1) to 1 (by magnitude). */
export function sides(norms: readonly number[], scaled: number): Float32Array {
  const most = Math.max(...norms, 1e-9)
  return Float32Array.from(norms, (norm) => 1 + scaled * (LEAST + SPAN * (norm / most) ** 2 - 1))
}

/** All of the photograph. */
const WHOLE: Box = { x: 0, y: 0, width: 1, height: 1 }

/** The part of the photograph that is seen: it moves with the spot so that this is always where the pointer is.

    Not zoomed it is always the very same, so that nothing is painted anew when the pointer moves. */
export function seen(spot: Spot | null, zoom: number): Box {
  if (zoom === 1) return WHOLE
  const left = 1 - 1 / zoom
  const { x, y } = spot ?? { x: 0.5, y: 0.5 }
  return { x: x * left, y: y * left, width: 1 / zoom, height: 1 / zoom }
}

/** The point of the photograph at a point of the figure, both 0 to 1, just below 1 at the end. */
export function through(at: Spot, part: Box): Spot {
  const inside = (value: number): number => Math.min(Math.max(value, 0), 0.99999)
  return { x: inside(part.x + at.x * part.width), y: inside(part.y + at.y * part.height) }
}

/** A cell's box in a figure of that size. */
export function boxOfCell(row: number, column: number, { rows, columns }: Omit<Cells, 'norms'>, part: Box, size: Size): Box {
  return {
    x: ((column / columns - part.x) / part.width) * size.width,
    y: ((row / rows - part.y) / part.height) * size.height,
    width: size.width / columns / part.width,
    height: size.height / rows / part.height,
  }
}

/** Where the loupe stands: above the cell, below it where there is no room, never far outside the figure. */
export function loupeAt(cell: Box, size: Size): { x: number; y: number } {
  const gap = 8
  const above = cell.y - LOUPE - gap
  const x = cell.x + cell.width / 2 - LOUPE / 2
  return { x: Math.min(Math.max(x, -6), size.width - LOUPE + 6), y: above < -gap ? cell.y + cell.height + gap : above }
}

/** One piece of a sheet, and where it is painted: [sheet x, y, side x, side y, x, y, width, height]. */
export type Piece = readonly [number, number, number, number, number, number, number, number]

/** The pieces to paint: all that is seen at once where no cell is smaller, else each cell in the middle of its place. */
export function pieces(cells: Cells, sheet: Size, part: Box, size: Size, scaled: number): Piece[] {
  if (scaled <= 0)
    return [
      [part.x * sheet.width, part.y * sheet.height, part.width * sheet.width, part.height * sheet.height, 0, 0, size.width, size.height],
    ]
  const [wide, high] = [sheet.width / cells.columns, sheet.height / cells.rows]
  const found: Piece[] = []
  sides(cells.norms, scaled).forEach((side, at) => {
    const [row, column] = [Math.floor(at / cells.columns), at % cells.columns]
    const box = boxOfCell(row, column, cells, part, size)
    if (box.x > size.width || box.y > size.height || box.x + box.width < 0 || box.y + box.height < 0) return
    const rest = (1 - side) / 2
    found.push([
      column * wide, row * high, wide, high,
      box.x + rest * box.width, box.y + rest * box.height, side * box.width, side * box.height,
    ])
  })
  return found
}
