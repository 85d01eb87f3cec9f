/** How methods of attribution stand against their controls: asked once each, measured on demand, shared by all figures. */
import { Gone, why, type Api } from './api'
import { Panel } from './panel.svelte'
import type { MethodStanding } from './types'

export type State = 'better' | 'part' | 'same' | 'worse' | 'undecided' | 'unmeasured'

/** What credits are read as; one says nothing of the other. */
export type Use = 'maps' | 'channels' | 'units' | 'positions' | 'groups'

export interface Query {
  /** As `hooke validate` calls it. */
  method: string
  /** Whose credit; null: the method's own. */
  layer: string | null
  use: Use
}

const WORDS: Record<State, string> = {
  better: 'better than its controls',
  part: 'better than its controls in part',
  same: 'indistinguishable from its controls',
  worse: 'worse than a control',
  undecided: 'undecided at this sample size',
  unmeasured: 'not yet measured',
}

/** A state in words. */
export const stateWords = (state: State): string => WORDS[state]

/** One verdict as a sign of its own shape. */
export function sign(verdict: string): string {
  if (verdict.startsWith('better')) return '▲'
  if (verdict.startsWith('worse')) return '▼'
  if (verdict.startsWith('indistinguishable')) return '='
  return verdict ? '?' : ''
}

export const asked = ({ method, layer, use }: Query): Record<string, string> => ({ method, ...(layer ? { layer } : {}), use })

/** Whence the numbers are: how many of what, and the first names. */
export function sampleWords({ images, data, sample }: Pick<MethodStanding, 'images' | 'data' | 'sample'>): string {
  const names = sample.slice(0, 3).join(', ')
  return `Measured on ${images} ${data || 'images'}${names ? ` (${names}${images > 3 ? ', …' : ''})` : ''}.`
}

/** What a figure measured of itself. */
export interface Told {
  state: State
  text: string
}

const [Z95, SPREAD, ROOM] = [1.96, 1.06, 0.5]

/** What is said to be given beside what ablation takes: their rank correlation, with Fisher's interval.
 *
 * They are told to disagree only where no medium correlation is possible; too few say nothing. */
export function agreement(said: readonly number[], lost: readonly number[], what: string): Told {
  const found = spearman(said, lost)
  const count = said.length
  const words: Partial<Record<State, string>> = { better: 'agree', worse: 'contradict each other', same: 'do not agree' }
  let [low, high] = [-1, 1]
  if (count > 3 && found !== null) {
    const middle = Math.atanh(Math.max(-1 + 1e-9, Math.min(1 - 1e-9, found)))
    const half = (Z95 * SPREAD) / Math.sqrt(count - 3)
    ;[low, high] = [Math.tanh(middle - half), Math.tanh(middle + half)]
  }
  const state: State = low > 0 ? 'better' : high < 0 ? 'worse' : high <= ROOM ? 'same' : 'undecided'
  const number = found === null ? '' : `: rank correlation ${fixed(found)} [${fixed(low)}, ${fixed(high)}]`
  const told = words[state] ?? 'are too few to tell whether they agree'
  return { state, text: `In this photograph credit and measured loss of ${count} ${what} ${told}${number}` }
}

const fixed = (value: number): string => value.toFixed(2).replace('-', '−')

/** Spearman's rank correlation, ties at the middle of their ranks; null where one side is all the same. */
export function spearman(one: readonly number[], other: readonly number[]): number | null {
  const [a, b] = [ranks(one), ranks(other)]
  const middle = (one.length - 1) / 2
  const along = (x: number[], y: number[]): number => x.reduce((sum, value, at) => sum + (value - middle) * (y[at]! - middle), 0)
  const size = Math.sqrt(along(a, a) * along(b, b))
  return size > 0 ? along(a, b) / size : null
}

function ranks(values: readonly number[]): number[] {
  return values.map((value) => values.filter((each) => each < value).length + (values.filter((each) => each === value).length - 1) / 2)
}

/** One method in one use, as far as it is known. */
export class Stood {
  answer = $state.raw<MethodStanding | null>(null)
  /** Why it cannot be told. */
  trouble = $state('')
  readonly panel: Panel<MethodStanding>

  #asked = false

  constructor(
    private readonly api: Pick<Api, 'standing' | 'measureStanding' | 'listen' | 'cancel'>,
    private readonly query: Query,
    private readonly gone: () => void,
  ) {
    this.panel = new Panel(api, () => api.measureStanding(asked(query)), gone)
  }

  /** What is known by now: what was measured from here, or else before. */
  get known(): MethodStanding | null {
    return this.panel.answer ?? this.answer
  }

  /** What it gives is shown greyed. */
  get fails(): boolean {
    return this.known?.fails ?? false
  }

  /** Ask what is known, once. */
  ask(): void {
    if (this.#asked) return
    this.#asked = true
    this.api.standing(asked(this.query)).then(
      (answer) => (this.answer = answer),
      (error: unknown) => {
        this.#asked = false
        if (error instanceof Gone) this.gone()
        else this.trouble = why(error)
      },
    )
  }
}

const all = new WeakMap<object, Map<string, Stood>>()

/** The method whose credits the figures show. */
const METHOD = 'activation x gradient'

/** The one that every figure shares. */
export function standingOf(microscope: { api: Api; lose(): void }, { layer, use }: Omit<Query, 'method'>): Stood {
  const known = all.get(microscope) ?? new Map<string, Stood>()
  all.set(microscope, known)
  const key = [layer, use].join('\n')
  const found = known.get(key) ?? new Stood(microscope.api, { method: METHOD, layer, use }, () => microscope.lose())
  known.set(key, found)
  return found
}
