/** The second model's state: it follows the first's, and what is pointed at in it is pointed at in the first. */
import { untrack } from 'svelte'

import { Gone, type Api } from './api'
import { followed, led, sameLabel } from './beside'
import { middleOf, placeOf } from './grid'
import { Microscope } from './state.svelte'
import type { Beside, Place } from './types'
import { format, parse, split, type View } from './url'

export class Pair {
  readonly other: Microscope
  /** Which layers belong together, once known. */
  found = $state.raw<Beside | null>(null)
  #names = $state.raw<readonly string[]>([])

  constructor(
    readonly first: Microscope,
    below: Api,
  ) {
    const read = (url: string): View => {
      const { path, query } = split(url)
      return led(parse(path, query), first.view, this.found?.layers ?? [])
    }
    this.other = new Microscope(below, {
      read: () => split(format(untrack(() => this.view))),
      write: (url, how) => {
        const view = read(url)
        first.go(view, how)
        if (view.page === 'workspace') this.other.travel()
      },
      href: (url) => first.href(read(url)),
      ...(first.within ? { within: first.within } : {}),
    })
    this.other.aside = 'the second model'
    this.other.leader = first
  }

  /** What the second model is to show now. */
  get view(): View {
    const { first, found } = this
    if (first.view.page !== 'workspace') return { ...first.view, beside: false }
    const [ours, theirs] = [first.labels, this.#names]
    const [of, rather] = [first.of, first.view.rather].map((index) => sameLabel(index, ours, theirs))
    const image = first.photo?.id ?? first.view.image
    return followed({ ...first.view, image, beside: false }, first.layer?.name ?? null, found?.layers ?? [], of ?? null, rather ?? null)
  }

  /** Begin: the layers that belong together, the labels of both, and the second model. */
  async open(): Promise<void> {
    try {
      ;[this.found, this.#names] = await Promise.all([this.first.api.beside!(), this.other.api.labels(), this.first.learnLabels()])
      await this.other.open()
    } catch (error) {
      if (!(error instanceof Gone)) throw error
      this.first.lose()
    }
  }

  /** Show what the first shows; to be called in an effect. */
  follow(): void {
    const url = format(this.view)
    const known = this.other.images.some((photo) => photo.id === this.first.photo?.id)
    const opened = this.found !== null && this.other.model !== null
    untrack(() => {
      if (!opened) return
      if (format(this.other.view) !== url) this.other.travel()
      if (!known) void this.other.open()
    })
  }

  /** Mark the point that the first marks; to be called in an effect. */
  point(): void {
    const [spot] = [this.first.spot, this.other.layer, this.other.current]
    untrack(() => this.other.pointAt(spot))
  }

  /** The reader is over a place of the second's grid. */
  pointAt(place: Place | null): void {
    this.first.pointAt(middleOf(place, this.other.layer))
  }

  /** The reader pins a place of the second's grid. */
  pin(place: Place | null, how?: 'push' | 'replace'): void {
    this.first.pin(placeOf(middleOf(place, this.other.layer), this.first.layer), how)
  }
}
