/** No more than two at once; who leaves makes room, and who leaves before its turn never begins. */
import { expect, it } from 'vitest'

import { take } from './turns'

it('gives turns in order', () => {
  const begun: number[] = []
  const leave = [0, 1, 2, 3].map((each) => take(() => begun.push(each)))
  expect(begun).toEqual([0, 1])
  leave[2]!()
  leave[0]!()
  leave[0]!()
  expect(begun).toEqual([0, 1, 3])
  leave[1]!()
  leave[3]!()
  take(() => begun.push(4))()
  expect(begun).toEqual([0, 1, 3, 4])
})
