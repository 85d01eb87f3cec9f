import { expect, test } from 'vitest'

import { beside, chance, counted, placeText, wordsOf } from './families'
import type { FamilyKind } from './types'

const family = (channels: number[]) => ({ channels, places: channels.map((_, i) => i * 45), likeness: 0.96 })
const kind: FamilyKind = { kind: 'rotation', unit: 'degrees', families: [family([3, 1, 2]), family([4, 5, 6, 7])], shuffled: 0, shuffled_units: 0 }

test('families are counted beside their control', () => {
  expect(counted(0, 0)).toBe('none')
  expect(counted(1, 3)).toBe('1 family, 3 units')
  expect(counted(1, 2, 'reflection')).toBe('1 pair')
  expect(beside(kind)).toEqual({ found: '2 families, 7 units', shuffled: 'none' })
  expect(chance(kind)).toBe(false)
  expect(chance({ ...kind, shuffled: 2, shuffled_units: 6 })).toBe(true)
  expect(chance({ ...kind, families: [] })).toBe(false)
})

test('places are told in their unit', () => {
  expect(placeText(kind, 146.25)).toBe('146.3°')
  expect(placeText(kind, 90)).toBe('90°')
  expect(placeText({ ...kind, unit: 'octaves' }, 0)).toBe('first')
  expect(placeText({ ...kind, unit: 'octaves' }, 0.6000000238)).toBe('+0.6 oct.')
})

test('a kind that is not known goes by its name', () => {
  expect(wordsOf('hue').title).toBe('Recoloured')
  expect(wordsOf('another').title).toBe('another')
})
