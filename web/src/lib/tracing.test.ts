/** Maps of a byte a value are read either way, and coloured so that for, against and nothing differ. */
import { describe, expect, it } from 'vitest'

import type { Packed, TracedLayer } from './types'
import {
  around, BLUE, less, mapAt, mask, matching, more, ORANGE, peak, read, role, sides, sum, tints, unpack, valuesAt, votes,
} from './tracing'

const packed = (height: number, width: number, maps: number[][], scales = maps.map(() => 1)): Packed => ({
  count: maps.length, height, width, scales, data: btoa(String.fromCharCode(...maps.flat().map((level) => level & 255))),
})
const rgb = (pixels: Uint8ClampedArray, at: number): number[] => [...pixels.slice(at * 4, at * 4 + 4)]

describe('maps of a byte a value', () => {
  const maps = unpack(packed(1, 3, [[127, -127, 0], [-1, 2, -128]], [0.5, 2]))
  it('have a scale each', () => {
    expect([...mapAt(maps, 0)]).toEqual([63.5, -63.5, 0])
    expect([...mapAt(maps, 1)]).toEqual([-2, 4, -256])
  })
  it('can be read at one place', () => expect([...valuesAt(maps, { row: 0, column: 1 })]).toEqual([-63.5, 4]))
})

describe('pairs of positions', () => {
  // Two places in the later layer, four (2 x 2) in the earlier.
  const pairs = read({ pairs: [{ earlier: 'a', later: 'b', maps: packed(2, 2, [[1, 2, 3, 4], [5, 6, 7, 8]], [1, 10]) }] })
  it('say what a place came from', () => {
    expect([...around(pairs, { layer: 'b', place: { row: 0, column: 1 } }, 2).get('a')!]).toEqual([50, 60, 70, 80])
  })
  it('say, read across, what a place leads to', () => {
    const found = around(pairs, { layer: 'a', place: { row: 1, column: 0 } }, 2)
    expect([...found.keys()]).toEqual(['b'])
    expect([...found.get('b')!]).toEqual([3, 70])
  })
  it('know nothing of other layers', () => expect(around(pairs, { layer: 'c', place: { row: 0, column: 0 } }, 1).size).toBe(0))
})

it('takes one field from another', () => {
  const found = less(new Map([['a', new Float32Array([3, 1])]]), new Map([['a', new Float32Array([1, 2])]]))
  expect([...found.get('a')!]).toEqual([2, -1])
  expect(sum(found.get('a')!)).toBe(1)
  expect(peak(found.get('a')!)).toBe(2)
})

it('lists the labels that a place speaks for and against, strongest first', () => {
  const classes = ['ant', 'bee', 'cat', 'dog'].map((label, index) => ({ label, index }))
  const found = votes(classes, new Float32Array([0.5, -2, 3, -0.1]), 1, 2)
  expect(found.for.map((one) => one.label)).toEqual(['cat'])
  expect(found.against.map((one) => one.label)).toEqual(['bee', 'dog'])
  expect(votes(classes, new Float32Array([1, 1, 1, 0]), 5, 2).against).toEqual([])
})

it('tells layers before a cell from those after', () => {
  const layers = ['a', 'b', 'c'].map((name) => ({ name })) as TracedLayer[]
  const cell = { layer: 'b', place: { row: 0, column: 0 } }
  expect(layers.map((layer) => role(layers, layer.name, cell))).toEqual(['before', 'here', 'after'])
})

describe('colours', () => {
  it('are white for nothing, blue for, orange against', () => {
    const pixels = sides(new Float32Array([0, 4, -4]), 4)
    expect(rgb(pixels, 0)).toEqual([255, 255, 255, 255])
    const [blue, orange] = [rgb(pixels, 1), rgb(pixels, 2)]
    BLUE.forEach((value, k) => expect(Math.abs(blue[k]! - value)).toBeLessThan(25))
    ORANGE.forEach((value, k) => expect(Math.abs(orange[k]! - value)).toBeLessThan(25))
  })
  it('of two factors are that of the larger, and grey where they are equal', () => {
    const pixels = tints([new Float32Array([1, 0, 1, -1]), new Float32Array([0, 1, 1, -1])], 1)
    expect(rgb(pixels, 0)[0]).toBeGreaterThan(rgb(pixels, 0)[2]!)
    expect(rgb(pixels, 1)[2]).toBeGreaterThan(rgb(pixels, 1)[0]!)
    expect(new Set(rgb(pixels, 2).slice(0, 3)).size).toBe(1)
    expect(rgb(pixels, 2)[0]).toBeLessThan(230)
    expect(rgb(pixels, 3)).toEqual([255, 255, 255, 255])
  })
  it('of a mask let through where much is', () => {
    const pixels = mask(new Float32Array([0, 1, 0.25, -1]), 1)
    expect(rgb(pixels, 1)).toEqual([255, 255, 255, 255])
    expect(rgb(pixels, 0)[0]).toBeLessThan(rgb(pixels, 2)[0]!)
    expect(rgb(pixels, 2)[0]).toBeLessThan(255)
    expect(rgb(pixels, 3).slice(0, 3)).toEqual([...ORANGE])
  })
  it('of nothing at all are no error', () => expect(rgb(sides(new Float32Array([0]), 0), 0)).toEqual([255, 255, 255, 255]))
})

it('shows 3, 12, 24 units, or as many as there are, and 3 again', () => {
  expect([more(3, 24), more(12, 24), more(24, 24), more(3, 5), more(5, 5)]).toEqual([12, 24, 3, 5, 3])
})

describe('labels', () => {
  const labels = ['tabby, tabby cat', 'catamaran', 'tiger cat', 'bobcat', 'dog']
  it('are found by any of their words, beginnings of words first', () => {
    expect(matching(labels, ' CAT', [], 9)).toEqual([0, 1, 2, 3])
    expect(matching(labels, 'dog', [], 9)).toEqual([4])
    expect(matching(labels, 'cat', [], 2)).toEqual([0, 1])
  })
  it('are the likely ones where nothing was typed', () => expect(matching(labels, ' ', [4, 2], 9)).toEqual([4, 2]))
})
