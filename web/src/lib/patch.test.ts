/** A searched part of a photograph is drawn, moved and sized inside the photograph, and survives the URL. */
import { describe, expect, it } from 'vitest'

import { around, between, keyed, LEAST, moved, parseBox, sized, written } from './patch'

const area = { left: 20, top: 30, right: 50, bottom: 60 }

describe('an area', () => {
  it('lies between two points, however they were drawn', () => {
    expect(between({ x: 0.5, y: 0.6 }, { x: 0.2, y: 0.3 })).toEqual(area)
    expect(between({ x: -1, y: 0.3 }, { x: 2, y: 0.6 })).toEqual({ left: 0, top: 30, right: 100, bottom: 60 })
  })

  it('is never too small to be seen', () =>
    expect(between({ x: 1, y: 0.5 }, { x: 1, y: 0.5 })).toEqual({ left: 100 - LEAST, top: 50, right: 100, bottom: 50 + LEAST }))

  it('begins around a place', () => {
    expect(around({ row: 5, column: 2 }, 10, 10)).toEqual({ left: 10, top: 40, right: 40, bottom: 70 })
    expect(around({ row: 0, column: 9 }, 10, 10)).toEqual({ left: 80, top: 0, right: 100, bottom: 20 })
  })

  it('stays inside', () => {
    expect(moved(area, 80, -80)).toEqual({ left: 70, top: 0, right: 100, bottom: 30 })
    expect(sized(area, -80, 80)).toEqual({ left: 20, top: 30, right: 20 + LEAST, bottom: 100 })
  })

  it('obeys the arrow keys, and sizes with Shift', () => {
    expect(keyed(area, 'ArrowLeft', false, 4)).toEqual({ ...area, left: 16, right: 46 })
    expect(keyed(area, 'ArrowDown', true, 4)).toEqual({ ...area, bottom: 64 })
    expect(keyed(area, 'Enter', false)).toBeNull()
  })

  it('is written and read', () => {
    expect(parseBox(written(area))).toEqual(area)
    for (const text of [null, '', '1,2,3', '5,5,5,9', '1,2,101,9', 'a,b,c,d']) expect(parseBox(text)).toBeNull()
  })
})
