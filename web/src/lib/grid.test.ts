/** Places and boxes, by hand-computed numbers. */
import { describe, expect, it, vi } from 'vitest'

import { boxOf, carry, equal, fieldOf, hairlines, placeAt, placeOn, pressed, spotUnder, step } from './grid'

const picture = { width: 448, height: 448 }

describe('a place', () => {
  it.each([
    [0, 0, 0, 0],
    [447.9, 447.9, 13, 13],
    [31.9, 32, 1, 0],
    [-5, 500, 13, 0],
  ])('at (%f, %f) is row %i, column %i', (x, y, row, column) =>
    expect(placeAt(x, y, picture, 14, 14)).toEqual({ row, column }),
  )

  it('is framed exactly where its cell lies', () =>
    expect(boxOf({ row: 5, column: 7 }, picture, 14, 14)).toEqual({ x: 224, y: 160, width: 32, height: 32 }))

  it('is grown where it would be too small to see, and stays inside', () => {
    expect(boxOf({ row: 0, column: 111 }, picture, 112, 112)).toEqual({ x: 439, y: 0, width: 9, height: 9 })
  })

  it('lies under the middle of its own box', () => {
    for (const [row, column] of [[0, 0], [6, 3], [13, 13]] as const) {
      const box = boxOf({ row, column }, picture, 14, 14)
      expect(placeAt(box.x + box.width / 2, box.y + box.height / 2, picture, 14, 14)).toEqual({ row, column })
    }
  })

  it('is carried to the same spot of another grid', () => {
    const [fine, coarse] = [{ width: 28, height: 28 }, { width: 7, height: 7 }]
    expect(carry({ row: 27, column: 13 }, fine, coarse)).toEqual({ row: 6, column: 3 })
    expect(carry({ row: 6, column: 3 }, coarse, fine)).toEqual({ row: 26, column: 14 })
  })

  it('equals itself only', () => {
    expect(equal({ row: 1, column: 2 }, { row: 1, column: 2 })).toBe(true)
    expect(equal({ row: 1, column: 2 }, { row: 2, column: 1 })).toBe(false)
    expect(equal(null, null)).toBe(true)
    expect(equal(null, { row: 0, column: 0 })).toBe(false)
  })
})

describe('the receptive field', () => {
  it('is centred on its place, in the scale of the picture', () =>
    expect(fieldOf({ row: 7, column: 7 }, 64, { width: 224, height: 224 }, picture, 14, 14)).toEqual({
      x: 176, y: 176, width: 128, height: 128,
    }))

  it('is clipped at the edge', () =>
    expect(fieldOf({ row: 0, column: 13 }, 64, { width: 224, height: 224 }, picture, 14, 14)).toEqual({
      x: 368, y: 0, width: 80, height: 80,
    }))

  it('is not drawn where it is the whole picture', () =>
    expect(fieldOf({ row: 7, column: 7 }, 900, { width: 224, height: 224 }, picture, 14, 14)).toBeNull())
})

describe('hairlines', () => {
  it('lie between the cells', () =>
    expect(hairlines({ width: 30, height: 20 }, 2, 3)).toBe('M10 0V20M20 0V20M0 10H30'))
  it('are left out where they would be a haze', () => expect(hairlines(picture, 112, 112)).toBe(''))
})

describe('arrow keys', () => {
  const at = { row: 6, column: 6 }
  it.each([
    ['ArrowUp', false, { row: 5, column: 6 }],
    ['ArrowRight', true, { row: 6, column: 8 }],
    ['Home', false, { row: 6, column: 0 }],
    ['PageDown', false, { row: 13, column: 6 }],
    ['x', false, null],
  ])('%s, far %s', (key, far, to) => expect(step(at, key, far, 14, 14)).toEqual(to))
  it('stop at the edge', () =>
    expect(step({ row: 0, column: 0 }, 'ArrowLeft', false, 14, 14)).toEqual({ row: 0, column: 0 }))
})

describe('the pointer', () => {
  const under = (clientX: number, clientY: number) => {
    const frame = { left: 100, top: 20, width: 200, height: 50 }
    return spotUnder({ clientX, clientY, currentTarget: { getBoundingClientRect: () => frame } } as unknown as MouseEvent)
  }

  it('is on a point of its element', () => expect(under(150, 60)).toEqual({ x: 0.25, y: 0.8 }))

  it('is in the first or last place where it is outside', () => {
    expect(placeOn(under(0, 0), 5, 7)).toEqual({ row: 0, column: 0 })
    expect(placeOn(under(300, 999), 5, 7)).toEqual({ row: 4, column: 6 })
  })
})

describe('a key', () => {
  const press = (key: string, more: Partial<KeyboardEvent> = {}) => {
    const event = { key, preventDefault: vi.fn(), ...more } as unknown as KeyboardEvent
    return [pressed(event, { row: 1, column: 1 }, 4, 4), vi.mocked(event.preventDefault).mock.calls.length]
  }

  it('moves or chooses, and is then no longer the browser’s', () => {
    expect(press('ArrowDown')).toEqual([{ row: 2, column: 1 }, 1])
    expect(press('Enter')).toEqual(['choose', 1])
    expect(press(' ')).toEqual(['choose', 1])
  })

  it('is the browser’s where it is another, or with Control, Command or Alt', () => {
    expect(press('a')).toEqual([null, 0])
    for (const held of ['ctrlKey', 'metaKey', 'altKey']) expect(press('ArrowDown', { [held]: true })).toEqual([null, 0])
  })
})
