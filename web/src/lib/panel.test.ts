/** A panel: waits for its job, shows how far it is, is cancelled, fails alone with its reason, asks again. */
import { expect, it, vi } from 'vitest'

import type { Listener } from './api'
import { Panel } from './panel.svelte'
import type { Answer } from './types'

function toy(...answers: (Answer<string> | Error)[]) {
  let listener: Listener | null = null
  const api = {
    cancel: vi.fn(async () => {}),
    listen: vi.fn((_: string, given: Listener) => {
      listener = given
      return () => {}
    }),
  }
  const panel = new Panel<string>(api, async () => {
    const next = answers.shift() ?? { job: 'again' }
    if (next instanceof Error) throw next
    return next
  })
  return { api, panel, hear: () => listener! }
}
const nothing = { picture_url: null, guess_url: null, response: null, peak: null, photographs_peak: null, steps: null, seconds: null }
const done = (state: string, note = '') => ({ drawing: { address: 'x', state, note, ...nothing } })

it('shows what is there already', async () => {
  const { panel } = toy({ ready: 'known' })
  await panel.load()
  expect([panel.state, panel.answer]).toEqual(['ready', 'known'])
})

it('follows a job to its answer', async () => {
  const { panel, hear } = toy({ job: 'j' }, { ready: 'measured' })
  await panel.load()
  hear().work?.({ share: 0.5, seconds_left: 3 })
  expect([panel.state, panel.share, panel.secondsLeft]).toEqual(['working', 0.5, 3])
  hear().finished(done('ready'))
  hear().end({ cancelled: false })
  await vi.waitFor(() => expect(panel.answer).toBe('measured'))
})

it('shows what there is so far, also where it was cancelled', async () => {
  const { panel, hear } = toy({ job: 'j' })
  await panel.load()
  hear().work?.({ share: 0.2, seconds_left: 3, so_far: 'coarse' })
  hear().work?.({ share: 0.5, seconds_left: 2 })
  expect([panel.state, panel.share, panel.answer]).toEqual(['working', 0.5, 'coarse'])
  panel.cancel()
  expect([panel.state, panel.answer]).toEqual(['cancelled', 'coarse'])
})

it('fails alone, says why, and tries again', async () => {
  const { panel, hear } = toy({ job: 'j' }, { ready: 'second' })
  await panel.load()
  hear().finished(done('failed', 'it touches nothing'))
  hear().end({ cancelled: false })
  expect([panel.state, panel.reason]).toEqual(['failed', 'it touches nothing'])
  panel.start()
  await vi.waitFor(() => expect(panel.answer).toBe('second'))
})

it('is cancelled, and then hears nothing more', async () => {
  const { api, panel, hear } = toy({ job: 'j' })
  await panel.load()
  panel.cancel()
  expect(api.cancel).toHaveBeenCalledWith('j')
  hear().work?.({ share: 1, seconds_left: 0 })
  expect(panel.state).toBe('cancelled')
})

it('says why it could not even be asked for, and that a stream broke off', async () => {
  const { panel, hear } = toy(new Error('no such unit'), { job: 'j' })
  await panel.load()
  expect(panel.reason).toBe('no such unit')
  await panel.load()
  hear().lost()
  expect(panel.state).toBe('failed')
})
