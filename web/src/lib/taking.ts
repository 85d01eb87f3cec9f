/** Taking a figure away: its picture, its numbers, its address, its frame and its Python, each saying where it is from. */
import { unitAddress } from './dictionary'
import grammar from './grammar.json'
import { withWords } from './png'
import { RECIPES, type Stand } from './recipes'
import type { Microscope } from './state.svelte'
import { csv, TABLES } from './tables'
import { format, type View } from './url'
import { raster, vector } from './vector'

/** What there is to take of one figure. */
export interface Figure {
  /** What it is called in the table of recipes, and in the address. */
  readonly name: string
  readonly title: string
  readonly answer: unknown
  /** The second model, where it is of two. */
  readonly beside?: { readonly name: string; readonly fingerprint: string } | null
  /** What its Python needs beside what the page is about. */
  readonly more?: Partial<Stand>
}

/** What every file says of itself. */
export interface Made {
  readonly study: string
  readonly title: string
  readonly model: string
  readonly fingerprint: string
  readonly beside?: { readonly model: string; readonly fingerprint: string }
  readonly image: { readonly id: string; readonly name: string } | null
  readonly view: string
  readonly hooke: string
}

export type Kind = 'png' | 'svg' | 'json' | 'csv'

/** Figures that stand in the place of another one in the address. */
const WITHIN: Readonly<Record<string, string>> = { confusions: 'alike', patch: 'semantic_dictionary' }

/** The view of one figure: complete, so that it says the same wherever it is opened. */
export function viewOf(microscope: Microscope, name: string): View {
  const { view, photo, layer } = microscope
  const own = WITHIN[name] ?? name
  if (view.page !== 'workspace') return { ...view, figure: own, embed: false }
  const figure = own in grammar ? own : null
  const place = name === 'semantic_dictionary' ? microscope.place : view.place // the strongest place is no less a place
  return { ...view, figure, place, embed: false, image: photo?.name && alone(microscope) ? photo.name : (photo?.id ?? null), layer: layer?.name ?? null }
}

const alone = ({ images, photo }: Microscope): boolean => images.filter((each) => each.name === photo?.name).length === 1

export function madeOf(microscope: Microscope, { name, title, beside }: Figure): Made {
  const { model, photo, view } = microscope
  return {
    study: name,
    title,
    model: model?.name ?? '',
    fingerprint: model?.fingerprint ?? '',
    ...(beside ? { beside: { model: beside.name, fingerprint: beside.fingerprint } } : {}),
    image: view.page === 'workspace' && photo ? { id: photo.id, name: photo.name } : null,
    view: format(viewOf(microscope, name)),
    hooke: model?.version ?? '',
  }
}

/** In words, below a picture. */
export function foot({ title, model, fingerprint, beside, image, view, hooke }: Made): string {
  const models = [{ model, fingerprint }, ...(beside ? [beside] : [])].map((one) => `${one.model} (${one.fingerprint.slice(0, 12)})`)
  return [title, models.join(' and '), ...(image ? [image.name] : []), view, `Hooke ${hooke}`].join(' · ')
}

/** A name that every file system takes. */
export function fileName({ study, model, image, view }: Made, kind: Kind): string {
  const unit = /^\/(?:unit|layer)\/([^?]+)/.exec(view)?.[1] ?? ''
  const parts = ['hooke', study, image?.name ?? unit, model].map((part) => part.toLowerCase().replace(/[^a-z0-9.]+/g, '-').replace(/^-|-$/g, ''))
  return `${parts.filter(Boolean).join('-').slice(0, 120)}.${kind}`
}

export const isTable = (name: string): boolean => name in TABLES

/** A figure as a file of its kind. */
export async function fileOf(kind: Kind, root: HTMLElement, figure: Figure, made: Made): Promise<Blob> {
  if (kind === 'json') return new Blob([`${JSON.stringify({ made, answer: figure.answer }, null, 1)}\n`], { type: 'application/json' })
  if (kind === 'csv') return new Blob([csv(TABLES[figure.name]!(figure.answer as never))], { type: 'text/csv' })
  const drawn = await vector(root, { title: made.title, foot: foot(made), record: made })
  if (kind === 'svg') return new Blob([drawn.svg], { type: 'image/svg+xml' })
  const picture = new Uint8Array(await (await raster(drawn)).arrayBuffer())
  return new Blob([withWords(picture, 'hooke', JSON.stringify(made))], { type: 'image/png' })
}

/** The Python that makes a figure again. */
export function pythonOf(microscope: Microscope, { name, beside, more = {} }: Figure): string {
  const { model, photo, layer, place, view, images } = microscope
  const own = view.page === 'workspace' ? layer?.name : view.layer
  return RECIPES[name]!({
    model: model?.name ?? '',
    second: beside?.name ?? null,
    photo,
    layer: own ?? null,
    place: view.page === 'workspace' ? place : null,
    of: microscope.of,
    rather: view.rather,
    edits: view.edits,
    unit: view.layer !== null && view.channel !== null ? unitAddress(view.layer, view.channel) : null,
    photos: Object.fromEntries(images.map((each) => [each.id, each])),
    ...more,
  })
}

/** The HTML that shows a figure in another page. */
export function frameOf(address: string, { title, model, image }: Made, height: number): string {
  const words = [title, image?.name, model].filter(Boolean).join(', ')
  const quoted = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
  return `<iframe src="${quoted(address)}" title="${quoted(words)}" width="100%" height="${height}" style="border: 0" loading="lazy"></iframe>`
}
