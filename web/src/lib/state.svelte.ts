/** The one state that every figure on the page shares: what is looked at, and what is known about it. */
import { untrack } from 'svelte'

import { Gone, Refusal, why, type Api } from './api'
import { entriesAt, extremes, mapOf, type Entry } from './dictionary'
import { Sketches } from './drawings.svelte'
import { carry, equal, middleOf, placeOf, type Spot } from './grid'
import type { Dictionary, Layer, Model, Photo, Place, Sheet, UnitEffects } from './types'
import { format, parse, same, start, type View } from './url'
import { done, fresh, redone, travelled, undone, type Edits, type History } from './whatif'
import { firstName } from './words'

/** Where the view is read from and written to: the browser's address bar and history. */
export interface Navigation {
  read(): { path: string; query: string }
  write(url: string, how: 'push' | 'replace'): void
  /** What a link to a view says, where it is not the view's own address. */
  href?(url: string): string
  /** Where the page is a part of another: its element. What happens outside of it is none of its business. */
  readonly within?: HTMLElement
  /** Back to the view before, where the browser has no button for it. */
  back?(): void
}

/** How many units are read, and drawn, for a place; a narrow page shows fewer. */
export const COUNT = 8

/** Milliseconds until the pointer rests. */
const REST = 140
const HEARTBEAT = 2000

export class Microscope {
  model = $state.raw<Model | null>(null)
  images = $state.raw<Photo[]>([])
  view = $state.raw<View>(start)
  /** The place under the pointer or the arrow keys, in the grid of the chosen layer. */
  hover = $state.raw<Place | null>(null)
  /** The pointer rests: what takes a request is shown, and not for each place that it sweeps over. */
  rested = $state(true)
  /** The unit that the reader points at. */
  unit = $state<number | null>(null)
  dictionary = $state.raw<Dictionary | null>(null)
  effects = $state.raw<ReadonlyMap<number, UnitEffects>>(new Map())
  /** The label that the reader points at. */
  label = $state<number | null>(null)
  /** Why the dictionary cannot be shown. */
  trouble = $state('')
  /** Why it is not told what the units speak for. */
  effectsTrouble = $state('')
  /** Why the photograph that was dropped cannot be shown. */
  uploadTrouble = $state('')
  uploading = $state<string | null>(null)
  gone = $state(false)
  /** The server answers, but the model is not opened yet. */
  opening = $state(false)
  /** The unit whose card is shown, and the box on the screen that it belongs to. */
  card = $state.raw<{ layer: string; channel: number; box: DOMRect } | null>(null)

  /** The figures on the page, by the names of their views. */
  figures: ReadonlySet<string> = $state.raw(new Set())
  /** Counts how often the reader came to a view; its figure is scrolled to each time. */
  comings = $state(0)

  photo = $derived(this.images.find((photo) => this.named(photo)) ?? this.images[0] ?? null)
  layer: Layer | null = $derived.by(() => {
    const layers = this.model?.layers ?? []
    const named = (name: string | undefined | null) => layers.find((each) => each.name === name && each.spatial)
    return named(this.view.layer) ?? named(this.model?.default_layer) ?? layers.find((each) => each.spatial) ?? null
  })
  /** The layer that a layer's or unit's page is about; it need not have places. */
  subject: Layer | null = $derived(this.model?.layers.find((each) => each.name === this.view.layer) ?? null)
  /** The channel that a unit's page is about. */
  channel = $derived(
    this.subject && this.view.channel !== null && this.view.channel < this.subject.channels ? this.view.channel : null,
  )
  /** The dictionary, once it belongs to what is chosen. */
  current = $derived(this.dictionary?.layer === this.layer?.name ? this.dictionary : null)
  landmarks = $derived(this.current ? extremes(this.current) : null)
  pinned = $derived(this.inside(this.view.place))
  place = $derived(this.pinned ?? this.inside(this.hover) ?? this.landmarks?.busiest ?? null)
  /** The point of the photograph that every figure marks: what the pointer is on in any of them. */
  spot: Spot | null = $derived.by(() => {
    const [place, layer, fine] = [this.place, this.layer, this.fine]
    return place && fine && equal(placeOf(fine, layer), place) ? fine : middleOf(place, layer)
  })
  /** What is done to the model, as texts, and how it came about. */
  edits: Edits = $derived(this.view.edits)
  history = $state.raw<History>(fresh)
  /** The label that is asked about. */
  of = $derived(this.view.of ?? this.photo?.predictions[0]?.index ?? null)
  entries: Entry[] = $derived(this.current && this.place ? entriesAt(this.current, this.place) : [])
  /** All labels, once somebody needs them. */
  labels = $state.raw<readonly string[]>([])
  /** Where the unit that is pointed at is among the strongest. */
  unitMap = $derived(this.current && this.unit !== null ? mapOf(this.current, this.unit) : null)

  /** What the URL names that is not here, in words. */
  strays = $derived.by(() => {
    const [model, { page, image, layer }] = [this.model, this.view]
    if (!model) return []
    if (this.view.beside && !model.beside) return ['Only one model is opened here: start again with --beside MODEL.']
    if (page !== 'workspace') return this.view.beside ? [] : this.missing()
    const strays: string[] = []
    if (image !== null && !this.images.some((photo) => this.named(photo)))
      strays.push('The photograph of this address is not here any more: this is another one.')
    const named = model.layers.find((each) => each.name === layer)
    if (layer !== null && !named?.spatial)
      strays.push(
        named
          ? `The layer ${layer} ${this.live ? 'has no places in the photograph' : 'is not in this published copy'}: this is ${this.layer?.name}.`
          : `There is no layer ${layer} in this model: this is ${this.layer?.name}.`,
      )
    return strays
  })

  readonly sketches: Sketches

  private fine = $state.raw<Spot | null>(null)

  #sheets = new Map<string, Promise<Sheet>>()
  #labels: Promise<string[]> | null = null

  #dictionaries = new Map<string, Dictionary>()
  #effectsKnown = new Map<string, UnitEffects[]>()
  #rest: ReturnType<typeof setTimeout> | undefined
  #effectsTimer: ReturnType<typeof setTimeout> | undefined
  #effectsCall: AbortController | null = null
  #heartbeat: ReturnType<typeof setTimeout> | undefined
  #asked = ''

  /** There is a model at the other end, and no files. */
  readonly live: boolean

  constructor(
    readonly api: Api,
    private readonly navigation: Navigation,
  ) {
    this.live = api.published !== true
    this.sketches = new Sketches(api, () => this.lose())
  }

  /** Read the URL, the model and the photographs; goes on trying where the server is not ready. */
  async open(): Promise<void> {
    this.travel()
    try {
      const [model, images] = await Promise.all([this.api.model(), this.api.images()])
      this.opening = false
      this.gone = false
      this.model = model
      this.images = images
      await this.look()
      this.sketches.resume()
    } catch (error) {
      this.opening = error instanceof Refusal && error.status === 503
      if (!(error instanceof Gone) && !this.opening) throw error
      this.gone = error instanceof Gone
      clearTimeout(this.#heartbeat)
      this.#heartbeat = setTimeout(() => void this.open(), this.opening ? HEARTBEAT / 4 : HEARTBEAT)
    }
  }

  /** The URL changed by itself: back, forward, or the first look. */
  travel(): void {
    const { path, query } = this.navigation.read()
    const view = parse(path, query)
    const moved = view.image !== this.view.image || view.layer !== this.view.layer
    this.card = null
    if (this.model && view.page === 'workspace' && this.view.page === 'workspace')
      this.history = travelled(this.history, this.edits, view.edits)
    this.view = view
    if (moved) this.hover = null
    this.comings++
    void this.look()
  }

  /** A figure stands on the page, until what is returned is called. */
  stand(name: string): () => void {
    untrack(() => (this.figures = new Set([...this.figures, name])))
    return () => (this.figures = new Set([...this.figures].filter((each) => each !== name)))
  }

  showImage(id: string): void {
    this.go({ ...this.view, image: id, place: null, group: null, trace: null, patch: null, without: null })
  }

  chooseLayer(name: string, how: 'push' | 'replace' = 'push'): void {
    const [from, to] = [this.layer, this.model?.layers.find((layer) => layer.name === name)]
    if (!to?.spatial || from?.name === name) return
    const moved = (place: Place | null): Place | null =>
      place && from?.height && from.width && to.height && to.width
        ? carry(place, { width: from.width, height: from.height }, { width: to.width, height: to.height })
        : null
    const [hover, place] = [moved(this.hover ?? this.place), moved(this.pinned)]
    this.go({ ...this.view, layer: name, place, group: null }, how)
    this.hover = hover
  }

  /** The reader is over a place of the photograph. */
  point(place: Place | null): void {
    if (equal(place, this.hover)) return
    this.hover = place
    this.settle()
  }

  /** The reader is over a point of the photograph in a figure with a grid of its own. */
  pointAt(spot: Spot | null): void {
    this.fine = spot
    this.point(placeOf(spot, this.layer))
  }

  /** Ask about a label, alone or rather than another one. */
  askAbout(of: number | null, rather: number | null = null): void {
    this.go({ ...this.view, of, rather: rather === of ? null : rather, trace: null })
  }

  /** Do other things to the model. */
  edit(edits: Edits): void {
    this.history = done(this.history, this.edits)
    this.go({ ...this.view, edits })
  }

  /** Undo (-1) or redo (1) what was done to the model. */
  step(by: -1 | 1): void {
    const found = (by < 0 ? undone : redone)(this.history, this.edits)
    if (!found) return
    this.history = found.history
    this.go({ ...this.view, edits: found.edits })
  }

  pin(place: Place | null, how: 'push' | 'replace' = 'push'): void {
    if (!place && this.pinned) this.hover = this.pinned
    this.go({ ...this.view, place }, how)
  }

  /** Learn all labels; where there are none to be had, those of the photographs are all that is known. */
  async learnLabels(): Promise<void> {
    this.#labels ??= this.api.labels().catch((error: unknown) => {
      this.#labels = null
      if (error instanceof Gone) this.lose()
      return []
    })
    this.labels = await this.#labels
  }

  /** What a label is called. */
  called(index: number): string {
    const predicted = this.photo?.predictions.find((one) => one.index === index)
    return firstName(this.labels[index] ?? predicted?.label ?? `label ${index}`)
  }

  /** Let go of what was chosen last: the unit that is drilled, else the pinned place. */
  release(): void {
    if (this.view.drill) this.go({ ...this.view, drill: null })
    else this.pin(null)
  }

  /** Show a photograph of the reader's own. */
  async upload(file: File): Promise<void> {
    this.uploadTrouble = ''
    this.uploading = file.name || 'photograph'
    try {
      const photo = await this.api.upload(file, this.uploading)
      this.images = [...this.images.filter((each) => each.id !== photo.id), photo]
      this.showImage(photo.id)
    } catch (error) {
      this.uploadTrouble = why(error)
      if (error instanceof Gone) this.lose()
    } finally {
      this.uploading = null
    }
  }

  /** How a finished picture was made. */
  record(url: string): Promise<unknown> {
    return this.api.record(url)
  }

  /** All units of a layer, asked for once. */
  sheet(layer: string): Promise<Sheet> {
    const known = this.#sheets.get(layer)
    if (known) return known
    const asked = this.api.sheet(layer)
    this.#sheets.set(layer, asked)
    asked.catch((error: unknown) => {
      this.#sheets.delete(layer)
      if (error instanceof Gone) this.lose()
    })
    return asked
  }

  private missing(): string[] {
    const { layer, channel } = this.view
    if (!this.subject) return [`There is no layer ${layer ?? ''} in this model.`]
    if (this.view.page === 'layer' || this.channel !== null) return []
    return [`There is no unit ${channel} in ${layer}: its units are 0 to ${this.subject.channels - 1}.`]
  }

  private inside(place: Place | null): Place | null {
    const layer = this.layer
    return place && layer?.height && layer.width && place.row < layer.height && place.column < layer.width ? place : null
  }

  /** Show another view. */
  go(view: View, how: 'push' | 'replace' = 'push'): void {
    this.card = null
    if (same(view, this.view)) return
    if (view.image !== this.view.image || view.layer !== this.view.layer) this.unit = null
    this.view = view
    this.navigation.write(format(view), how)
    void this.look()
  }

  /** To the top of the page. */
  rise(): void {
    ;(this.navigation.within ?? window).scrollTo(0, 0)
  }

  /** Which model this is, in words for those who hear the page, where two are shown. */
  aside = ''

  /** Of a second model: the first, where the reader points. */
  leader: Microscope | null = null

  /** The reader points somewhere; else the place that is shown is the strongest. */
  get pointed(): boolean {
    const { hover, pinned } = this.leader ?? this
    return hover !== null || pinned !== null
  }

  /** Views have addresses: inside a notebook they have none. */
  get addressable(): boolean {
    return !this.navigation.within
  }

  /** The element that the page is a part of, if it is one. */
  get within(): HTMLElement | undefined {
    return this.navigation.within
  }

  /** It happened on this page, and not beside it. */
  ours(event: Event): boolean {
    const { within } = this.navigation
    return !within || event.composedPath().includes(within)
  }

  /** The link to a view. */
  href(view: View): string {
    return this.addressed({ ...view, embed: false })
  }

  /** The address of one figure alone, for a frame in another page; null: a frame cannot show it. */
  frame(view: View): string | null {
    return this.addressable && !this.aside && view.figure !== null ? this.addressed({ ...view, embed: true, beside: false }) : null
  }

  private addressed(view: View): string {
    const url = format(view)
    return this.navigation.href?.(url) ?? url
  }

  /** Whether a figure is shown: alone in a frame, all others are not. */
  shows(figure: string): boolean {
    return !this.view.embed || this.view.figure === figure
  }

  /** A photograph goes by its id, and by its name. */
  private named({ id, name }: Photo): boolean {
    return id === this.view.image || name === this.view.image
  }

  /** Fetch the dictionary of what is chosen, unless it is known. */
  private async look(): Promise<void> {
    const [photo, layer] = [this.photo, this.layer]
    if (!photo || !layer || this.view.page !== 'workspace') return
    const key = `${photo.id}\n${layer.name}`
    this.#asked = key
    this.trouble = ''
    const known = this.#dictionaries.get(key)
    if (known) return this.arrive(known)
    if (this.dictionary && this.dictionary.layer === layer.name) this.dictionary = null
    try {
      const dictionary = await this.api.dictionary(photo.id, layer.name, COUNT)
      this.#dictionaries.set(key, dictionary)
      if (this.#asked === key) this.arrive(dictionary)
    } catch (error) {
      if (this.#asked !== key) return
      if (error instanceof Gone) this.lose()
      else this.trouble = why(error)
    }
  }

  private arrive(dictionary: Dictionary): void {
    this.dictionary = dictionary
    this.settle(true)
  }

  /** The place changed: its pictures and effects are wanted once the reader has come to rest. */
  private settle(soon = false): void {
    if (this.view.page !== 'workspace') return
    const addresses = this.entries.map((entry) => entry.address)
    if (addresses.length) this.sketches.want(addresses, soon)
    clearTimeout(this.#rest)
    this.rested = soon
    if (!soon) this.#rest = setTimeout(() => (this.rested = true), REST)
    this.askEffects(soon ? 0 : REST)
  }

  private askEffects(rest: number): void {
    clearTimeout(this.#effectsTimer)
    this.#effectsCall?.abort()
    const [photo, layer, place, entries] = [this.photo, this.layer, this.place, this.entries]
    if (!photo || !layer || !place || !entries.length) {
      this.effects = new Map()
      return
    }
    const key = [photo.id, layer.name, place.row, place.column].join('\n')
    const show = (found: UnitEffects[]): void => {
      this.effects = new Map(found.map((each) => [each.channel, each]))
    }
    this.effectsTrouble = ''
    const known = this.#effectsKnown.get(key)
    if (known) return show(known)
    this.effects = new Map()
    const call = (this.#effectsCall = new AbortController())
    this.#effectsTimer = setTimeout(() => {
      const channels = entries.map((entry) => entry.channel)
      this.api
        .effects(photo.id, layer.name, place.row, place.column, channels, call.signal)
        .then((found) => {
          this.#effectsKnown.set(key, found)
          if (this.#effectsCall === call) show(found)
        })
        .catch((error: unknown) => {
          if (call.signal.aborted) return
          if (error instanceof Gone) this.lose()
          else this.effectsTrouble = why(error)
        })
    }, rest)
  }

  /** The server is gone: say so, and look for it until it is back. */
  lose(): void {
    if (this.gone) return
    this.gone = true
    clearTimeout(this.#heartbeat)
    this.#heartbeat = setTimeout(() => void this.open(), HEARTBEAT)
  }
}
