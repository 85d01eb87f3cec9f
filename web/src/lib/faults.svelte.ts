/** What went wrong in the page itself: told to the reader, never swallowed, never a blank page. */
import { Gone, why } from './api'

/** Browsers report that they put off a measurement as if it were an error. */
const HARMLESS = /^ResizeObserver loop/

const MOST = 3

export class Faults {
  /** In words, the last ones, each once. */
  told = $state.raw<readonly string[]>([])

  constructor(private readonly gone: () => void = () => {}) {}

  /** An error that nobody caught. */
  report(error: unknown): void {
    if (error instanceof Gone) return this.gone()
    if (error instanceof DOMException && error.name === 'AbortError') return
    const words = why(error)
    if (HARMLESS.test(words) || this.told.includes(words)) return
    this.told = [...this.told, words].slice(-MOST)
  }

  dismiss(): void {
    this.told = []
  }
}
