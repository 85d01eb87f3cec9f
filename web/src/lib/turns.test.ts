/** No more at once than there are turns; who leaves makes room for the nearest; who left before its turn never begins. */
import { expect, it } from 'vitest'

import { Turns } from './turns'

it('gives turns in order', () => {
  const turns = new Turns(2)
  const begun: number[] = []
  const leave = [0, 1, 2, 3].map((each) => turns.take(() => begun.push(each)))
  expect(begun).toEqual([0, 1])
  leave[2]!()
  leave[0]!()
  leave[0]!()
  expect(begun).toEqual([0, 1, 3])
  leave[1]!()
  leave[3]!()
  turns.take(() => begun.push(4))()
  expect(begun).toEqual([0, 1, 3, 4])
})

it('gives the next turn to whoever is nearest by then, also after one that failed', async () => {
  const turns = new Turns(1)
  const begun: string[] = []
  const far = { a: 0, b: 900, c: 500 }
  const ask = (name: keyof typeof far): Promise<void> =>
    turns.run(
      async () => {
        begun.push(name)
        if (name === 'a') throw new Error('no')
      },
      () => far[name],
    )
  const all = (['a', 'b', 'c'] as const).map(ask)
  far.b = 0
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  expect(begun).toEqual(['a', 'b', 'c'])
})
