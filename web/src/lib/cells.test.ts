/** Cells: their sides are those of the published grids, and a zoomed grid stays under the pointer. */
import { describe, expect, it } from 'vitest'

import { boxOfCell, LOUPE, loupeAt, pieces, seen, sides, through } from './cells'

const size = { width: 300, height: 300 }
const whole = { x: 0, y: 0, width: 1, height: 1 }
const near = (values: ArrayLike<number>): number[] => Array.from(values, (value) => Math.round(value * 1e4) / 1e4)

describe('sides', () => {
  it('are 0.24 of a cell for nothing, 0.91 for the longest, convex between', () => {
    expect(near(sides([0, 1, 2], 1))).toEqual([0.24, 0.4075, 0.91])
    expect(near(sides([0, 1, 2], 0))).toEqual([1, 1, 1])
    expect(near(sides([0, 2], 0.5))).toEqual([0.62, 0.955])
    expect(near(sides([0, 0], 1))).toEqual([0.24, 0.24])
  })
})

describe('a zoomed grid', () => {
  it('has the spot where the pointer is', () => {
    for (const at of [{ x: 0, y: 0.5 }, { x: 0.31, y: 0.97 }]) {
      const found = through(at, seen(at, 2.25))
      expect([found.x, found.y]).toEqual([expect.closeTo(at.x), expect.closeTo(at.y)])
    }
    expect(seen(null, 2)).toEqual({ x: 0.25, y: 0.25, width: 0.5, height: 0.5 })
    expect(seen({ x: 0.3, y: 0.8 }, 1)).toEqual(whole)
    expect(seen({ x: 0.3, y: 0.8 }, 1)).toBe(seen(null, 1))
  })
  it('shows larger cells', () => {
    const part = seen({ x: 1, y: 1 }, 1.5)
    expect(boxOfCell(2, 2, { rows: 3, columns: 3 }, part, size)).toEqual({
      x: expect.closeTo(150), y: expect.closeTo(150), width: expect.closeTo(150), height: expect.closeTo(150),
    })
  })
})

describe('the loupe', () => {
  it('stands above the cell, or below it at the top, and inside', () => {
    expect(loupeAt({ x: 100, y: 200, width: 10, height: 10 }, size)).toEqual({ x: 68, y: 118 })
    expect(loupeAt({ x: 0, y: 0, width: 10, height: 10 }, size)).toEqual({ x: -6, y: 18 })
    expect(loupeAt({ x: 290, y: 200, width: 10, height: 10 }, size).x).toBe(300 - LOUPE + 6)
  })
})

describe('what is painted', () => {
  const cells = { rows: 2, columns: 2, norms: [0, 1, 2, 2] }
  const sheet = { width: 64, height: 64 }
  it('is one piece where all cells are whole', () => {
    expect(pieces(cells, sheet, whole, size, 0)).toEqual([[0, 0, 64, 64, 0, 0, 300, 300]])
    expect(pieces(cells, sheet, seen({ x: 0, y: 0 }, 2), size, 0)).toEqual([[0, 0, 32, 32, 0, 0, 300, 300]])
  })
  it('is each cell in the middle of its place where they are scaled', () => {
    const found = pieces(cells, sheet, whole, size, 1)
    expect(found.length).toBe(4)
    expect(near(found[3]!)).toEqual([32, 32, 32, 32, 156.75, 156.75, 136.5, 136.5])
    expect(near(found[0]!)).toEqual([0, 0, 32, 32, 57, 57, 36, 36])
  })
  it('leaves out what is not seen', () => {
    expect(pieces(cells, sheet, seen({ x: 0, y: 0 }, 3), size, 1).length).toBe(1)
  })
})
