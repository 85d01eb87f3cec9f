/** The atlas of a layer: how large its cells are drawn, and where the arrow keys lead from one to the next. */
import type { AtlasCell } from './types'

/** A cell's side in parts of its room: grows with the root of its number of vectors; as in the study's own picture. */
export function sides(cells: readonly AtlasCell[]): number[] {
  const counts = cells.map((cell) => cell.count).sort((a, b) => a - b)
  const most = counts[Math.floor(0.9 * (counts.length - 1))] || 1
  return cells.map((cell) => Math.min(1, 0.45 + 0.55 * Math.sqrt(cell.count / most)))
}

const WAYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0],
}

/** The next cell in the direction of an arrow key, over gaps; the same where there is none, null for any other key. */
export function next(cells: readonly AtlasCell[], at: number, key: string): number | null {
  if (key === 'Home') return 0
  if (key === 'End') return cells.length - 1
  const way = WAYS[key]
  const from = cells[at]
  if (!way || !from) return null
  let best = at
  let least = Infinity
  cells.forEach((cell, i) => {
    const [down, right] = [cell.row - from.row, cell.column - from.column]
    const along = down * way[0] + right * way[1]
    if (along <= 0) return
    const far = along + 2 * Math.abs(down * way[1] + right * way[0])
    if (far < least) [best, least] = [i, far]
  })
  return best
}

/** The cell that most places are in. */
export function fullest(cells: readonly AtlasCell[]): number {
  return cells.reduce((best, cell, at) => (cell.count > (cells[best]?.count ?? -1) ? at : best), 0)
}
