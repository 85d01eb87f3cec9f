/** The names of published files are those that the publisher writes: tests/publish/test_names.py has the same list. */
import { expect, it } from 'vitest'

import { canonical, fileOf } from './address'

it('names the file of a request', () => {
  expect(fileOf('/api/model')).toBe('data/model.b402747c.json')
  expect(fileOf('/api/images/0a/dictionary?layer=blocks.4.1&count=8')).toBe(
    'data/images-0a-dictionary-count=8-layer=blocks.4.1.43f1e7d6.json',
  )
  expect(fileOf(`/api/layer?layer=${'x'.repeat(200)}%20é`)).toMatch(/^data\/.{80}\.[0-9a-f]{8}\.json$/)
})

it('does not mind the order of parameters, or how they are quoted', () => {
  expect(canonical('/api/a%20b?of=3&at=1%2C2')).toBe('/api/a b?at=1,2&of=3')
  expect(canonical('/api/x?')).toBe('/api/x')
  expect(fileOf('/api/x?b=2&a=1')).toBe(fileOf('/api/x?a=1&b=2'))
})
