/** Numbers and labels as they are read. */
import { expect, it } from 'vitest'

import { ends, firstName, flatten, grouped, magnitude, percent, provenance, signed, timeLeft } from './words'

it.each([
  [0, '0.00'], [0.031234, '0.031'], [4.8234, '4.82'], [31.52, '31.5'], [142.2, '142'], [12403, '12,403'], [NaN, '–'], [-4.5, '−4.50'],
])('magnitude %f is %s', (value, text) => expect(magnitude(value)).toBe(text))

it.each([[7, '7'], [999, '999'], [1000, '1,000'], [-12403, '-12,403'], [4652008, '4,652,008']])('whole %d is %s', (value, text) => expect(grouped(value)).toBe(text))

it.each([[0.31, '+0.31'], [-0.12, '−0.12'], [-0.000012, '−1.2e−5']])('effect %f is %s', (value, text) =>
  expect(signed(value)).toBe(text),
)

it.each([[0.87, '87 %'], [0.041, '4.1 %'], [0.0996, '10 %'], [0.0004, '< 0.1 %'], [0, '0.0 %']])(
  'probability %f is %s',
  (value, text) => expect(percent(value)).toBe(text),
)

it.each([[3.21, '3.2 s left'], [0, '0.1 s left'], [45.4, '45 s left'], [200, '3 min left'], [NaN, '']])(
  '%f seconds: %s',
  (value, text) => expect(timeLeft(value)).toBe(text),
)

it('keeps the first of a label’s names', () => {
  expect(firstName('tabby, tabby cat')).toBe('tabby')
  expect(firstName('crane')).toBe('crane')
})

it('cuts a layer’s name so that its end is kept', () => {
  expect(ends('blocks.4.1.bn2.act')).toEqual(['blocks.4.1.', 'bn2.act'])
  expect(ends('relu')).toEqual(['', 'relu'])
})

it('flattens a record to its facts', () =>
  expect(flatten({ method: { type: 'Ascent', sizes: [1, 2], none: null }, seed: 0 })).toEqual([
    ['method type', 'Ascent'], ['method sizes', '1, 2'], ['seed', '0'],
  ]))

it('tells how a picture was made without saying anything twice', () =>
  expect(
    provenance({
      address: 'a:1', peak: 3, key: 'f'.repeat(64),
      provenance: { model: 'ab'.repeat(32), address: 'a:1', method: { type: 'Ascent' }, recorded: { torch: '2.14' }, data: null },
    }),
  ).toEqual([['model', 'abababababab…'], ['type', 'Ascent'], ['torch', '2.14']]))
