/** Reading a dictionary of two rows, two columns and two ranks by hand. */
import { expect, it } from 'vitest'

import { entriesAt, extremes, mapOf, unitAddress } from './dictionary'

const dictionary = {
  layer: 'a.act', height: 2, width: 2, count: 2,
  channels: [5, 1, 2, 5, 7, 8, 5, 2],
  magnitudes: [4, 2, 3, 1, 0, 0, 6, 0.5],
  peak: 6, norms: [4.5, 3.2, 0.1, 6.1],
}

it('gives the strongest units of a place, in order, with their share of the peak', () =>
  expect(entriesAt(dictionary, { row: 1, column: 1 })).toEqual([
    { layer: 'a.act', address: 'a.act:5', channel: 5, magnitude: 6, share: 1 },
    { layer: 'a.act', address: 'a.act:2', channel: 2, magnitude: 0.5, share: 0.5 / 6 },
  ]))

it('leaves silent units out', () => expect(entriesAt(dictionary, { row: 1, column: 0 })).toEqual([]))

it('maps where a unit is among the strongest', () => expect([...mapOf(dictionary, 5)]).toEqual([4, 1, 0, 6]))

it('finds where the layer fires most and least', () =>
  expect(extremes(dictionary)).toEqual({ busiest: { row: 1, column: 1 }, quietest: { row: 1, column: 0 } }))

it.each([
  ['blocks.4.1.bn2.act', 'blocks.4.1.bn2.act:3'],
  ['attn~2[0.out]', 'attn~2[0.out]:3'],
  ['odd name', '`odd name`:3'],
  ['tick`ed', '`tick``ed`:3'],
])('writes the address of unit 3 of %s', (layer, text) => expect(unitAddress(layer, 3)).toBe(text))
