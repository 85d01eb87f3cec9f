import { expect, test } from 'vitest'

import { fullest, next, sides } from './atlas'
import type { AtlasCell } from './types'

const cell = (row: number, column: number, count: number): AtlasCell => ({ row, column, count, cosine: null, label: null, credit: null, units: [] })
// . 0 .
// 1 . 2
const cells = [cell(0, 1, 4), cell(1, 0, 16), cell(1, 2, 9)]

test('a cell grows with the root of its number', () => {
  const many = [4, 9, 16, 16, 16, 16, 16, 16, 16, 16, 100].map((count) => cell(0, 0, count))
  expect(sides(many).slice(0, 3)).toEqual([expect.closeTo(0.725), expect.closeTo(0.8625), 1])
  expect(sides(many).at(-1)).toBe(1)
  expect(sides([])).toEqual([])
})

test('the arrow keys go over gaps', () => {
  expect(next(cells, 1, 'ArrowRight')).toBe(2)
  expect(next(cells, 2, 'ArrowUp')).toBe(0)
  expect(next(cells, 0, 'ArrowDown')).toBe(1)
  expect(next(cells, 0, 'ArrowUp')).toBe(0)
  expect(next(cells, 0, 'End')).toBe(2)
  expect(next(cells, 0, 'a')).toBe(null)
})

test('the fullest cell is the first of those', () => {
  expect(fullest(cells)).toBe(1)
})
