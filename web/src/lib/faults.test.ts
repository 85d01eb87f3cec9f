/** Errors that nobody caught are told once each; a server that is gone, and what is harmless, are none. */
import { describe, expect, it, vi } from 'vitest'

import { Gone } from './api'
import { Faults } from './faults.svelte'

describe('faults', () => {
  it('are told once each, the last three', () => {
    const faults = new Faults()
    for (const words of ['one', 'two', 'two', 'three', 'four']) faults.report(new Error(words))
    expect(faults.told).toEqual(['two', 'three', 'four'])
    faults.dismiss()
    expect(faults.told).toEqual([])
  })

  it('are not a lost server, a call that was broken off, or a measurement put off', () => {
    const gone = vi.fn()
    const faults = new Faults(gone)
    faults.report(new Gone())
    faults.report(new DOMException('', 'AbortError'))
    faults.report('ResizeObserver loop completed with undelivered notifications.')
    expect(gone).toHaveBeenCalledOnce()
    expect(faults.told).toEqual([])
  })
})
