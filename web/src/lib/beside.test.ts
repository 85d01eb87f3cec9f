/** What belongs together in two models, and what differs. */
import { describe, expect, it } from 'vitest'

import { changesAt, curve, followed, led, marked, nearest, onlyIn, ordinal, sameLabel } from './beside'
import type { Entry } from './dictionary'
import type { AlikeLayer, Changes, Matched, Opinion } from './types'
import { start, unitView } from './url'

const opinion = (label: string, indices: (number | null)[], probabilities: (number | null)[], ranks: (number | null)[]): Opinion => ({
  label, indices, probabilities, ranks,
})
const pairs: Matched[] = [
  { layer: 'a', other: 'a', comparable: true },
  { layer: 'b', other: 'z', comparable: false },
]

describe('labels', () => {
  const said = [
    opinion('cat', [2, 7], [0.6, 0.3], [0, 1]),
    opinion('dog', [3, 8], [0.3, 0.58], [1, 0]),
    opinion('elk', [4, 9], [0.05, 0.04], [2, 6]),
    opinion('fox', [null, 1], [null, 0.02], [null, 2]),
    opinion('gnu', [5, 2], [0.01, 0.011], [3, 3]),
  ]
  it('are marked where their rank or more than five points of them are others, or the other has none', () => {
    const [cat, dog, elk, gnu] = marked(said, 0)
    expect([cat!.label, dog!.label, elk!.label, gnu!.label]).toEqual(['cat', 'dog', 'elk', 'gnu'])
    expect(cat).toMatchObject({ index: 2, other: { rank: 1, probability: 0.3 }, marks: ['there 2nd', '+30 points'] })
    expect(dog!.marks).toEqual(['there 1st', '−28 points'])
    expect(elk!.marks).toEqual(['there 7th'])
    expect(gnu!.marks).toEqual([])
  })
  it('are told for the other model the other way round, the likeliest first and not beyond its five', () => {
    const other = marked(said, 1)
    expect(other.map((one) => one.label)).toEqual(['dog', 'cat', 'fox', 'gnu'])
    expect(other[2]).toMatchObject({ index: 1, other: null, marks: ['only this model has this label'] })
  })
  it('are the same by their text, the second of a text with the second', () => {
    const [ours, theirs] = [['ant', 'crane', 'crane', 'elk'], ['crane', 'ant', 'crane']]
    expect([0, 1, 2, 3, 9, null].map((index) => sameLabel(index, ours, theirs))).toEqual([1, 0, 2, null, null, null])
  })
  it('count', () => expect([0, 1, 2, 3, 10, 20, 111].map(ordinal)).toEqual(['1st', '2nd', '3rd', '4th', '11th', '21st', '112th']))
})

describe('following', () => {
  const view = { ...start, image: 'c', layer: 'b', place: { row: 1, column: 2 }, of: 3, groups: 4, group: 1, edits: ['x'], zoom: 2, beside: true }
  it('shows the layer and the label that belong to them, and nothing that is about one model only', () => {
    expect(followed({ ...view, beside: false }, 'b', pairs, 7, null)).toEqual({ ...start, image: 'c', layer: 'z', of: 7, groups: 4, zoom: 2 })
    expect(followed(view, 'unknown', pairs, null, null).layer).toBeNull()
  })
  it('leads to the second model’s pages, and takes over what both share', () => {
    expect(led(unitView('z', 3), view, pairs)).toEqual({ ...unitView('z', 3), beside: true })
    expect(led({ ...start, layer: 'z', of: 7, scaled: true, zoom: 1 }, view, pairs)).toEqual({ ...view, scaled: true, zoom: 1, groups: null })
    expect(led({ ...start, layer: 'z' }, unitView('z', 3), pairs)).toEqual({ ...start, layer: 'b', beside: true })
  })
})

describe('units', () => {
  const found: Changes = {
    layer: 'a', height: 1, width: 2, count: 2, channels: [5, 1, 0, 2], first: [1, 2, 0, 0], second: [4, 1, 0, 0],
    median: [0.1, 0], far: [0.5, 0],
  }
  it('that changed most at a place, without those that did not', () => {
    expect(changesAt(found, { row: 0, column: 0 })).toEqual({
      units: [{ channel: 5, first: 1, second: 4, by: 3 }, { channel: 1, first: 2, second: 1, by: -1 }], median: 0.1, far: 0.5,
    })
    expect(changesAt(found, { row: 0, column: 1 })?.units).toEqual([])
    expect(changesAt(found, { row: 3, column: 1 })).toBeNull()
  })
  it('that are in one list only', () => {
    const entries = (...channels: number[]): Entry[] => channels.map((channel) => ({ layer: 'a', address: `a:${channel}`, channel, magnitude: 1, share: 1 }))
    expect([...onlyIn(entries(1, 2, 3), entries(3, 4))]).toEqual([1, 2])
  })
})

describe('the curve', () => {
  const layers = ['a', 'b', 'c'].map((layer): AlikeLayer => ({ layer, other: layer, positions: 4, cka: 1, shuffled: 0, moved: 0 }))
  it('goes from 0 below to 1 above', () => expect(curve([0, 0.5, 2], 100, 10)).toBe('M0.0 10.0L50.0 5.0L100.0 0.0'))
  it('stands in the middle for one layer', () => expect(curve([1], 100, 10)).toBe('M50.0 0.0'))
  it('finds the layer under the pointer', () => {
    expect([-20, 30, 70, 180].map((x) => nearest(x, 100, layers))).toEqual(['a', 'b', 'b', 'c'])
    expect(nearest(1, 100, [])).toBeNull()
  })
})
