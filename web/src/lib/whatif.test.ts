/** Edits become texts and words, and are done, undone and redone. */
import { describe, expect, it } from 'vitest'

import {
  agreement, along, axis, choices, done, fresh, listed, mute, named, ordered, placeAddress, places, redone, scale, standing, stepOf, target, told, transplant, travelled,
  undone, unitAddress, unitHere, withEdit, without, type Edits,
} from './whatif'

const at = { row: 4, column: 6 }

describe('edits', () => {
  it('are texts that the model understands', () => {
    expect(mute(unitAddress('blocks.4.1.bn2.act', 300))).toBe('ablate(blocks.4.1.bn2.act:300)')
    expect(scale(unitHere('a', 3, at), 0.5)).toBe('scale(a:3@4,6, 0.5)')
    expect(transplant(placeAddress('a', at), 'c7ff', { row: 0, column: 1 })).toBe('patch(a@4,6, "c7ff@0,1")')
    expect(mute(placeAddress('Mixed 4d', at))).toBe('ablate(`Mixed 4d`@4,6)')
    expect(listed(['ablate(a:3)', 'scale(b:7, 2)'])).toBe('ablate(a:3)\nscale(b:7, 2)')
  })

  it.each([
    ['ablate(blocks.4.1.bn2.act:300)', 'unit 300 of 1.bn2.act muted'],
    ['ablate(a:3@4,6)', 'unit 3 of a at row 5, column 7 muted'],
    ['ablate(a@4,6)', 'place row 5, column 7 of a muted'],
    ['scale(a#3fa9.2, 0.5)', 'group 2 of a × 0.5'],
    ['clamp(`Mixed 4d`:3, 2.5)', 'unit 3 of Mixed 4d held at 2.5'],
    ['ablate(a, mean)', 'all of a at its mean'],
    ['patch(a@4,6, "c7ff@0,1")', 'place row 5, column 7 of a from coffee, row 1, column 2'],
    ['steer(a, 2*a:3 - b:1, 1.5)', 'steer(a, 2*a:3 - b:1, 1.5)'],
    ['ablate(a:3 + a:4)', 'ablate(a:3 + a:4)'],
    ['ablate(a@4,6 -> b:7)', 'what place row 5, column 7 of a gives to unit 7 of b muted'],
    ['scale(a:3 -> b:7@1,2, -2)', 'what unit 3 of a gives to unit 7 of b at row 2, column 3 × -2'],
  ])('%s is told', (text, words) => expect(told(text, () => 'coffee')).toBe(words))

  it('know their places', () => {
    expect(target('scale(a:3@4,6, 0.5)')).toBe('a:3@4,6')
    expect(target('patch(`a (b)`@4,6, "c7ff@0,1")')).toBe('`a (b)`@4,6')
    expect(places(['ablate(a:3)', 'steer(a, a:3, 1)', 'scale(b@1,2, 2)'])).toEqual(['a:3', 'b@1,2'])
    expect(named('a:3')).toBe('unit 3 of a')
  })

  it('are offered for what is on the page', () => {
    const units = [{ channel: 3, magnitude: '1.20' }]
    const found = choices('a', at, units, [{ address: 'a#3fa9.2', index: 2 }], { layer: 'b', channel: 7, after: true })
    expect(found.map((each) => each.address)).toEqual([
      'a@4,6', 'a:3@4,6', 'a:3', 'a', 'a#3fa9.2', 'a@4,6 -> b:7', 'a:3 -> b:7',
    ])
    expect(choices('a', at, units, [], { layer: 'b', channel: 7, after: false }).at(-1)).toEqual({
      address: 'b:7 -> a:3', words: 'unit 7 → unit 3', kind: 'edge',
    })
  })

  it('of one place take the place of each other', () => {
    expect(withEdit(['ablate(a:3)', 'ablate(a:4)'], 'scale(a:3, 2)')).toEqual(['ablate(a:4)', 'scale(a:3, 2)'])
    expect(withEdit(['steer(a, a:3, 1)'], 'steer(a, a:4, 1)')).toHaveLength(2)
    expect(without(['ablate(a:3)', 'ablate(a:4)'], 'ablate(a:3)')).toEqual(['ablate(a:4)'])
  })
})

describe('history', () => {
  const [none, one, two]: Edits[] = [[], ['ablate(a:3)'], ['ablate(a:3)', 'ablate(a:4)']]

  it('goes back and forth', () => {
    const history = done(done(fresh, none!), one!)
    const back = undone(history, two!)!
    expect(back.edits).toEqual(one)
    const further = undone(back.history, back.edits)!
    expect(further.edits).toEqual(none)
    expect(undone(further.history, further.edits)).toBeNull()
    const again = redone(further.history, further.edits)!
    expect(again.edits).toEqual(one)
    expect(redone(again.history, again.edits)!.edits).toEqual(two)
  })

  it('forgets what was undone when something else is done', () => {
    const back = undone(done(fresh, none!), one!)!
    expect(redone(done(back.history, back.edits), two!)).toBeNull()
  })

  it("takes the browser's steps as its own", () => {
    const history = done(done(fresh, none!), one!)
    const back = travelled(history, two!, one!)
    expect(back).toEqual({ past: [none], future: [two] })
    expect(travelled(back, one!, two!)).toEqual(history)
    expect(travelled(fresh, none!, two!)).toEqual({ past: [none], future: [] })
    expect(travelled(history, two!, [...two!])).toBe(history)
  })

  it('knows its keys', () => {
    const key = (key: string, more = {}): number =>
      stepOf({ key, ctrlKey: true, metaKey: false, shiftKey: false, altKey: false, ...more })
    expect([key('z'), key('Z', { shiftKey: true }), key('y'), key('x'), key('z', { ctrlKey: false })]).toEqual([
      -1, 1, 1, 0, 0,
    ])
  })
})

describe('numbers', () => {
  it('stand on an axis with round ends and a zero', () => {
    expect(axis([0.031, -0.012])).toEqual([expect.closeTo(-0.0125), expect.closeTo(0.0325)])
    expect(axis([2, 3])).toEqual([0, 3])
    expect([along(0, -1, 3), along(9, -1, 3), along(5, 0, 0)]).toEqual([25, 100, 50])
  })

  it('stand out, or not', () => {
    const random = { low: -0.1, high: 0.2 }
    expect(standing(-0.5, random, 0.048, 20)).toBe('It stands out')
    expect(standing(-0.15, random, 0.2, 20)).toContain('outside of them')
    expect(standing(0.1, random, 0.5, 20)).toBe('It does not stand out')
    expect(standing(0.1, null, null, 0)).toBe('')
  })

  it('agree, differ, or contradict each other', () => {
    const row = (linear: number, integrated: number, measured: number, kind = 'unit here') => {
      const told = [linear, integrated, measured]
      const disagreement = (Math.max(...told) - Math.min(...told)) / Math.max(...told.map(Math.abs))
      return { kind, linear, integrated, measured, disagreement }
    }
    const rows = [row(1, 1, 1, 'place'), row(1, 1.1, 1.05), row(1, 2, 3), row(1, -1, 0.5), row(1, 1, 9, 'group')]
    expect(rows.map(agreement)).toEqual(['agree', 'agree', 'differ', 'contradict', 'differ'])
    expect(ordered(rows, 'effect').map((each) => each.measured)).toEqual([1, 3, 1.05, 0.5, 9])
    expect(ordered(rows, 'disagreement').map((each) => each.measured)).toEqual([1, 0.5, 3, 1.05, 9])
  })
})
