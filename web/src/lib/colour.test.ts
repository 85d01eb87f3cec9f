/** The veil by its numbers, and the contrast of every text colour of the style sheet, light and dark. */
import { describe, expect, it } from 'vitest'

import sheet from '../app.css?raw'
import { contrast, parseHex, veil } from './colour'

function tokens(block: string): Record<string, string> {
  return Object.fromEntries([...block.matchAll(/--([a-z-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1], match[2]]))
}
const light = tokens(sheet.slice(0, sheet.indexOf('@media')))
const dark = tokens(sheet.slice(sheet.indexOf('@media')))

it('computes contrast as WCAG does', () => {
  expect(contrast(parseHex('#000'), parseHex('#fff'))).toBeCloseTo(21)
  expect(contrast(parseHex('#777777'), parseHex('#ffffff'))).toBeCloseTo(4.478, 2)
  expect(() => parseHex('orange')).toThrow('not a colour')
})

describe.each([['light', light], ['dark', dark]])('%s', (_, colours) => {
  it.each(['ink', 'quiet', 'here-ink', 'for', 'against'])('%s can be read on paper and on wash', (name) => {
    for (const ground of ['paper', 'wash'])
      expect(contrast(parseHex(colours[name]!), parseHex(colours[ground]!))).toBeGreaterThanOrEqual(4.5)
  })
  it.each(['bar'])('%s can be seen on paper', (name) =>
    expect(contrast(parseHex(colours[name]!), parseHex(colours['paper']!))).toBeGreaterThanOrEqual(3),
  )
})

it('says "you are here" in #ff6600', () => expect(light['here']).toBe('#ff6600'))

describe('the veil', () => {
  const alphas = (values: number[], peak: number): number[] => [...veil(values, peak, 1)].filter((_, i) => i % 4 === 3)
  it('is clear at the peak and dark at nothing', () => expect(alphas([0, 0.25, 1], 1)).toEqual([255, 128, 0]))
  it('covers everything where nothing fires', () => expect(alphas([0, 0], 0)).toEqual([255, 255]))
  it('is black', () => expect([...veil([0], 1)].slice(0, 3)).toEqual([0, 0, 0]))
})
