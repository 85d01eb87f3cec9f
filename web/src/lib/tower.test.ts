/** Which floors stand, and their shape. */
import { describe, expect, it } from 'vitest'

import { facts, floors, foldedCount, landmarks, neighbour, scaleTo } from './tower'
import type { Layer } from './types'

const layer = (name: string, channels: number, side: number | null, activation: boolean): Layer => ({
  name, kind: 'X', axes: [], channels, height: side, width: side, stride: 1, receptive_field: side && 2 * side + 1,
  parameters: 0, activation, spatial: side !== null,
})

const model = [
  layer('input', 3, 224, false),
  layer('stem.conv', 32, 112, false),
  layer('stem.act', 32, 112, true),
  layer('a.conv', 96, 56, false),
  layer('a.act', 96, 56, true),
  layer('b.act', 1152, 7, true),
  layer('pool', 1152, null, false),
  layer('logits', 1000, null, false),
]
const names = (chosen: string | null, all: boolean): string[] => floors(model, chosen, all).map((each) => each.layer.name)

describe('the tower', () => {
  it('stands on the input and folds what is no activation', () =>
    expect(names(null, false)).toEqual(['logits', 'b.act', 'a.act', 'stem.act', 'input']))

  it('never folds what is chosen', () =>
    expect(names('a.conv', false)).toEqual(['logits', 'b.act', 'a.act', 'a.conv', 'stem.act', 'input']))

  it('shows everything when asked', () => {
    expect(names(null, true)).toHaveLength(8)
    expect(foldedCount(model)).toBe(3)
  })

  it('is wide where resolution is high, and thick where channels are many', () => {
    const [, b, a, stem] = floors(model, null, false)
    expect(stem!.width).toBeGreaterThan(a!.width)
    expect(a!.width).toBeGreaterThan(b!.width)
    expect(b!.thickness).toBeGreaterThan(a!.thickness)
    expect(a!.thickness).toBeGreaterThan(stem!.thickness)
    for (const floor of floors(model, null, true)) {
      expect(floor.width).toBeGreaterThan(0)
      expect(floor.width).toBeLessThanOrEqual(1)
    }
  })

  it('opens every place-bearing layer in a model without activations', () => {
    const bare = model.map((each) => ({ ...each, activation: false }))
    expect(floors(bare, null, false).map((each) => each.layer.name)).not.toContain('pool')
    expect(foldedCount(bare)).toBe(1)
  })

  it('stays drawable with three hundred floors', () => {
    const many = Array.from({ length: 300 }, (_, i) => layer(`l${i}`, 64, 14, true))
    const standing = floors(many, null, false)
    expect(standing).toHaveLength(300)
    expect(scaleTo(standing, 420)).toBe(0.34)
    expect(standing.every((floor) => Number.isFinite(floor.width) && floor.thickness * 0.34 >= 1)).toBe(true)
  })
})

describe('climbing', () => {
  const standing = floors(model, null, false)
  it('goes up and down, over what has places only', () => {
    expect(neighbour(standing, 'a.act', 1)).toBe('b.act')
    expect(neighbour(standing, 'b.act', 1)).toBe('b.act')
    expect(neighbour(standing, 'stem.act', -1)).toBe('input')
    expect(neighbour(standing, 'a.act', -1e6)).toBe('input')
  })
  it('begins at the top where nothing is chosen', () => expect(neighbour(standing, null, 1)).toBe('b.act'))
})

it('names an early, a middle and a late layer', () =>
  expect(landmarks(model)?.map((each) => each.name)).toEqual(['stem.act', 'a.act', 'b.act']))

it('says what a layer is in one line', () => {
  expect(facts(model[2]!)).toBe('112 × 112 places · 32 channels · each place sees 225 px')
  expect(facts(model[7]!)).toBe('1,000 labels')
})
