/** Groups: hues that stay apart, mixtures that go grey, strengths at a point, and the table of effects. */
import { expect, it } from 'vitest'

import { afterEdits, afterRows, changed, contour, effectRows, hue, keyColour, mixed, nearestRank, oklch, painted, strengthAt } from './groups'
import type { EditedGroups, Group, GroupRank } from './types'

const group = (index: number, colour: number, levels: number[]): Group => ({
  index, address: `a#f.${index}`, colour, share: 0, row: 0, column: 0, levels, units: [],
})
const rank: GroupRank = {
  rank: 2, explained: 0.9, peak: 4,
  groups: [group(1, 0, [1000, 500, 0, 0]), group(0, 1, [0, 500, 250, 0])],
}

it('turns known colours: white, black, and pure red of sRGB', () => {
  expect(oklch(1, 0, 0)).toEqual([255, 255, 255])
  expect(oklch(0, 0, 0)).toEqual([0, 0, 0])
  expect(oklch(0.62796, 0.25768, 29.234)).toEqual([255, 0, 0])
})

it('keeps ten hues at least 30 degrees apart', () => {
  const hues = Array.from({ length: 10 }, (_, number) => hue(number)).sort((a, b) => a - b)
  const gaps = hues.map((value, at) => (at ? value - hues[at - 1]! : value + 360 - hues.at(-1)!))
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(25)
  expect(hue(10)).toBe(hue(0))
  expect(keyColour(0)).toMatch(/^rgb\(\d+ \d+ \d+\)$/)
})

it('paints one group in its hue, a mixture grey, and nothing where no group is', () => {
  const spread = ([red, green, blue]: readonly number[]): number => Math.max(red!, green!, blue!) - Math.min(red!, green!, blue!)
  const alone = mixed([1, 0], [0, 1])
  const both = mixed([1, 1], [0, 1])
  expect(spread(alone)).toBeGreaterThan(90)
  expect(spread(both)).toBeLessThan(25)
  expect(mixed([0.5, 0], [0, 1])[3]).toBeLessThan(alone[3])
  const pixels = painted(rank, 4)
  expect([...pixels.slice(12)]).toEqual([0, 0, 0, 0])
  expect([...pixels.slice(0, 4)]).toEqual(alone)
})

it('reads strengths under a point', () => {
  expect(strengthAt(rank.groups[0]!, { x: 0.1, y: 0.1 }, 2, 2)).toBe(1)
  expect(strengthAt(rank.groups[0]!, { x: 0.9, y: 0.1 }, 2, 2)).toBe(0.5)
  expect(strengthAt(rank.groups[1]!, { x: 0.1, y: 0.9 }, 2, 2)).toBe(0.25)
})

it('finds the nearest number of groups', () => {
  const ranks = [2, 4, 6].map((number) => ({ ...rank, rank: number }))
  expect([1, 3, 5.5, 99].map((wanted) => nearestRank(ranks, wanted).rank)).toEqual([2, 2, 6, 6])
})

it('lays the effects out as the groups are shown, the rest last, the difference first', () => {
  const rows = [
    { label: 'tabby, cat', index: 3, logit: 9, effects: [1, 2, 0.5], measured: [1.5, 2.5, 0] },
    { label: 'dog', index: 7, logit: 4, effects: [3, -1, 0], measured: [2, -1, 0] },
  ]
  const told = effectRows({ rank: 2, rows }, rank.groups, 3, null)
  expect(told.map((row) => row.effects)).toEqual([[2, 1, 0.5], [-1, 3, 0]])
  const [difference] = effectRows({ rank: 2, rows }, rank.groups, 3, 7)
  expect([difference!.label, difference!.effects, difference!.measured]).toEqual([
    'tabby rather than dog', [3, -2, 0.5], [3.5, -0.5, 0],
  ])
})

const edited: EditedGroups = {
  groups: [
    { index: 0, before: 2, after: 1, levels: [0, 250, 125, 0], random: null },
    { index: 1, before: 3, after: 0, levels: [0, 0, 0, 0], random: null },
  ],
  explained_before: 0.9, explained_after: 0.5, draws: 0, beside: '', seconds: 1,
  labels: [{ index: 7, logit: 4, measured: [1, 2, 3] }, { index: 9, logit: 1, measured: [0.5, 1, 1] }],
}

it('puts the groups where they are after edits, by their own numbers', () => {
  expect(afterEdits(rank, edited).groups.map((one) => [one.index, one.levels])).toEqual([
    [1, [0, 0, 0, 0]], [0, [0, 250, 125, 0]],
  ])
  expect([changed(2, 1), changed(3, 0), changed(0, 0), changed(0, 1)]).toEqual([-0.5, -1, 0, null])
})

it('orders what labels lose in the edited model as the table, and takes the difference of two', () => {
  const row = (index: number) => ({ label: '', index, effects: [], measured: [] })
  expect(afterRows(edited, [row(-1), row(7), row(8)], rank.groups, 7, 9)).toEqual([[1, 0.5, 2], [2, 1, 3], null])
  expect(afterRows(edited, [row(-1)], rank.groups, 7, 8)).toEqual([null])
})

it('outlines where a map is at least half its peak', () => {
  expect(contour([0, 0, 0, 0], 2)).toBe('')
  expect(contour([4, 1, 0, 0], 2)).toBe('M0 0h1M0 0v1M1 0v1M0 1h1')
  const around = contour([0, 0, 0, 0, 1, 2, 0, 2, 2], 3)
  expect(around.match(/h1/g)).toHaveLength(4)
  expect(around.match(/v1/g)).toHaveLength(4)
})
