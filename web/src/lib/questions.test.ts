/** Only questions whose answer is on the page are asked, and each leads to the view that answers. */
import { describe, expect, it } from 'vitest'

import { questions } from './questions'
import { format, start } from './url'

const guesses = [
  { label: 'tabby, tabby cat', index: 281, probability: 0.5 },
  { label: 'tiger cat', index: 282, probability: 0.4 },
]
const asked = { view: { ...start, image: 'cat' }, guesses, layer: 'bn1.act', unit: 7 as number | null, mapped: true }
const every = new Set(['semantic_dictionary', 'spatial_attribution', 'channel_attribution', 'what_if', 'alike'])

describe('questions', () => {
  it('lead to the views that answer', () => {
    const found = questions({ ...asked, figures: every })
    expect(found.map(({ words, to }) => [words, format(to)])).toEqual([
      ['Why did it say this?', '/image/cat?view=spatial/attribution/map&of=281'],
      ['Why this rather than that?', '/image/cat?view=channel/attribution/list&of=281&rather=282'],
      ['What does this unit look for?', '/unit/bn1.act/7'],
      ['What would change its mind?', '/image/cat?view=whole/intervention/table'],
      ['Where is it wrong alike?', '/image/cat?view=whole/error/list'],
    ])
    expect(found[1]!.more).toBe('tabby rather than tiger cat')
  })

  it('leave out what is not on the page', () => {
    const found = questions({ ...asked, unit: null, figures: new Set(['semantic_dictionary']) })
    expect(found.map(({ to }) => format(to))).toEqual([
      '/image/cat?view=neuron/activation/dictionary&of=281',
      '/layer/bn1.act',
    ])
    const flat = questions({ ...asked, unit: null, mapped: false, figures: every })
    expect(flat.map(({ words }) => words)).toEqual([
      'What does this unit look for?', 'What would change its mind?', 'Where is it wrong alike?',
    ])
    expect(questions({ ...asked, layer: null, guesses: [], figures: new Set() })).toEqual([])
  })
})
