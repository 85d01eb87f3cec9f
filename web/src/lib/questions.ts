/** The questions that one begins with, and the view that answers each. */
import type { Prediction } from './types'
import { layerView, unitView, type View } from './url'
import { firstName } from './words'

export interface Question {
  readonly words: string
  /** What it is about, here. */
  readonly more: string
  readonly to: View
}

interface Asked {
  readonly view: View
  readonly guesses: readonly Prediction[]
  readonly layer: string | null
  /** The unit that fires most at the place. */
  readonly unit: number | null
  /** Which figures are on the page, by their names. */
  readonly figures: ReadonlySet<string>
  /** Some layer tells places of the photograph apart: without any there is nothing to trace. */
  readonly mapped: boolean
}

/** The questions whose answer is on the page. */
export function questions({ view, guesses, layer, unit, figures, mapped }: Asked): Question[] {
  const [first, second] = guesses
  const likeliest = first ? firstName(first.label) : ''
  const next = second ? firstName(second.label) : ''
  const found: Question[] = []
  const ask = (words: string, more: string, figure: string | undefined, also: Partial<View> = {}): void => {
    if (figure && figures.has(figure)) found.push({ words, more, to: { ...view, ...also, figure } })
  }
  if (mapped && first) {
    const where = ['spatial_attribution', 'semantic_dictionary'].find((name) => figures.has(name))
    ask('Why did it say this?', `what speaks for ${likeliest}, and where`, where, { of: first.index, rather: null })
  }
  if (mapped && first && second)
    ask('Why this rather than that?', `${likeliest} rather than ${next}`, 'channel_attribution', { of: first.index, rather: second.index })
  if (layer !== null)
    found.push({
      words: 'What does this unit look for?',
      more: unit === null ? `the units of ${layer}` : `:${unit}, which fires most here`,
      to: unit === null ? layerView(layer) : unitView(layer, unit),
    })
  ask('What would change its mind?', 'mute, scale or move what it goes by', 'what_if')
  ask('Where is it wrong alike?', next ? `${likeliest} or ${next}: the same doubt elsewhere` : 'labels that it confuses', 'alike')
  return found
}
