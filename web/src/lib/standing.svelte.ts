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

/** The one that every figure shares. */
export function standingOf(microscope: { api: Api; lose(): void }, query: Query): Stood {
  const known = all.get(microscope) ?? new Map<string, Stood>()
  all.set(microscope, known)
  const key = [query.method, query.layer, query.use].join('\n')
  const found = known.get(key) ?? new Stood(microscope.api, query, () => microscope.lose())
  known.set(key, found)
  return found
}
