/** How a method stands: asked once, measured on demand, in words and signs that differ in shape. */
import { expect, it, vi } from 'vitest'

import type { Api, Listener } from './api'
import { agreement, asked, sampleWords, sign, spearman, standingOf, stateWords, Stood, type Query, type State } from './standing.svelte'
import type { MethodStanding } from './types'

const query: Query = { method: 'activation x gradient', layer: 'act2', use: 'units' }
const unmeasured = {
  ...query, layer: 'act2', state: 'unmeasured', text: 'not yet', fails: false, images: 0, data: '', sample: [], metrics: [],
  rows: [], command: 'hooke validate', offer: '12 photographs',
} satisfies MethodStanding
const measured: MethodStanding = { ...unmeasured, state: 'worse', text: 'worse', fails: true, images: 12 }

function toy() {
  const answers: ({ job: string } | { ready: MethodStanding })[] = [{ job: 'j' }, { ready: measured }]
  let listener: Listener | null = null
  const api = {
    standing: vi.fn(async () => unmeasured),
    measureStanding: vi.fn(async () => answers.shift()!),
    cancel: vi.fn(async () => {}),
    listen: vi.fn((_: string, given: Listener) => {
      listener = given
      return () => {}
    }),
  }
  return { api, hear: () => listener! }
}

it('asks once, and shows what was measured from here', async () => {
  const { api, hear } = toy()
  const stood = new Stood(api, query, () => {})
  stood.ask()
  stood.ask()
  await vi.waitFor(() => expect(stood.known?.state).toBe('unmeasured'))
  expect(api.standing).toHaveBeenCalledExactlyOnceWith({ method: 'activation x gradient', layer: 'act2', use: 'units' })
  expect(stood.fails).toBe(false)
  stood.panel.start()
  await vi.waitFor(() => expect(api.listen).toHaveBeenCalled())
  hear().finished({ drawing: { state: 'ready' } as never })
  hear().end({ cancelled: false })
  await vi.waitFor(() => expect(stood.known).toBe(measured))
  expect(stood.fails).toBe(true)
})

it('says why it cannot be told, and asks again', async () => {
  const { api } = toy()
  api.standing.mockRejectedValueOnce(new Error('no such method'))
  const stood = new Stood(api, query, () => {})
  stood.ask()
  await vi.waitFor(() => expect(stood.trouble).toBe('no such method'))
  stood.ask()
  expect(api.standing).toHaveBeenCalledTimes(2)
})

it('is one for all figures', () => {
  const microscope = { api: toy().api as unknown as Api, lose: () => {} }
  const one = standingOf(microscope, query)
  expect(standingOf(microscope, { ...query })).toBe(one)
  expect(standingOf(microscope, { ...query, use: 'maps' })).not.toBe(one)
})

it('has a sign for every verdict and words for every state', () => {
  const verdicts = ['better than', 'indistinguishable from', 'worse than', 'too few images to tell from', '']
  expect(verdicts.map(sign)).toEqual(['▲', '=', '▼', '?', ''])
  const states: State[] = ['better', 'part', 'same', 'worse', 'undecided', 'unmeasured']
  expect(new Set(states.map(stateWords)).size).toBe(6)
  expect(asked({ ...query, layer: null })).toEqual({ method: 'activation x gradient', use: 'units' })
})

it('says on what it was measured', () => {
  expect(sampleWords({ images: 12, data: 'photographs', sample: ['cat', 'coffee', 'rocket', 'moon'] })).toBe(
    'Measured on 12 photographs (cat, coffee, rocket, …).',
  )
  expect(sampleWords({ images: 2, data: '', sample: ['a', 'b'] })).toBe('Measured on 2 images (a, b).')
})

it('holds credit against ablation as the studies do', () => {
  expect(spearman([1, 2, 3, 4], [10, 20, 40, 30])).toBeCloseTo(0.8)
  expect(spearman([1, 1, 2], [1, 1, 5])).toBeCloseTo(1)
  expect(spearman([1, 1], [1, 2])).toBeNull()
  const told = agreement([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 7, 6], 'groups of a')
  expect(told).toEqual({
    state: 'better',
    text: 'In this photograph credit and measured loss of 7 groups of a agree: rank correlation 0.96 [0.75, 1.00]',
  })
  expect(agreement([1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1], 'groups').state).toBe('worse')
  expect(agreement([1, 2, 3], [1, 2, 3], 'units').state).toBe('undecided')
  expect(agreement([1, 1, 1], [1, 2, 3], 'units').text).toMatch(/too few to tell whether they agree$/)
  const many = Array.from({ length: 60 }, (_, at) => at)
  expect(agreement(many, many.map((at) => (at * 23) % 60), 'channels').state).toBe('same')
})
