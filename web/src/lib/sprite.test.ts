import { expect, test } from 'vitest'

import { sprite } from './sprite'

test('a picture is a part of the file', () => {
  expect(sprite('data:,', 2, 2, 2)).toEqual({ image: 'url("data:,")', size: '200% 200%', position: '0% 100%' })
  expect(sprite('a.webp', 8, 4, 10)).toEqual({ image: 'url("a.webp")', size: '800% 400%', position: `${200 / 7}% ${100 / 3}%` })
  expect(sprite('a.webp', 1, 1, 0).position).toBe('0% 0%')
})
