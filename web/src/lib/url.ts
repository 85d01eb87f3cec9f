/** The URL is the whole state of the page: what it says, and how a state is written as one. */
import grammar from './grammar.json'
import { parseBox, written, type Area } from './patch'
import type { Place } from './types'

export type Page = 'workspace' | 'layer' | 'unit'

/** What is looked at. Null: whatever the page shows first. */
export interface View {
  readonly page: Page
  readonly image: string | null
  readonly layer: string | null
  /** The pinned place. */
  readonly place: Place | null
  readonly channel: number | null
  /** The label that is asked about, and the one that it is rather than; null: the likeliest, and none. */
  readonly of: number | null
  readonly rather: number | null
  /** The unit whose supporters, and what it supports, are asked for. */
  readonly drill: Drill | null
  /** What is done to the model, as texts. */
  readonly edits: readonly string[]
  /** Which figure of the workspace is looked at: the name of a study. */
  readonly figure: string | null
  /** The part of the photograph whose units are searched for, and the part where they are not to fire. */
  readonly patch: Area | null
  readonly without: Area | null
  /** How many groups the layer is told in, and the one that is looked at alone. */
  readonly groups: number | null
  readonly group: number | null
  /** Through how many layers, and how many groups in each, the flow goes; the group that is traced: layer, group. */
  readonly depth: number | null
  readonly flow: number | null
  readonly trace: readonly [number, number] | null
  /** Cells of the activation grids are scaled by magnitude; how often these are zoomed. */
  readonly scaled: boolean
  readonly zoom: number | null
  /** How the units of a layer are sorted, and which words their addresses or labels contain. */
  readonly sort: string | null
  readonly find: string | null
  /** Which atlas of a layer is drawn: of the photographs at hand, or of what was recorded. */
  readonly atlas: Atlas | null
  /** One figure alone, to stand in a frame of another page. */
  readonly embed: boolean
  /** On the workspace: two models beside each other. On a unit's or a layer's page: it is the second model's. */
  readonly beside: boolean
}

export type Atlas = (typeof ATLASES)[number]
const ATLASES = ['here', 'recorded'] as const

export interface Drill {
  readonly layer: string
  readonly channel: number
}

export const start: View = {
  page: 'workspace', image: null, layer: null, place: null, channel: null, of: null, rather: null, drill: null,
  figure: null, patch: null, without: null, groups: null, group: null, depth: null, flow: null, trace: null,
  edits: [], scaled: false, zoom: null, sort: null, find: null, atlas: null, embed: false, beside: false,
}

export const layerView = (layer: string): View => ({ ...start, page: 'layer', layer })
export const unitView = (layer: string, channel: number): View => ({ ...start, page: 'unit', layer, channel })

/** What each figure of the workspace is: `atom/content/presentation`, by its name. */
export const GRAMMAR: Readonly<Record<string, string>> = grammar

/** The figures of a unit's and of a layer's page. */
export const EVIDENCE: readonly string[] = [
  'looks', 'quality', 'density', 'examples', 'selectivity', 'tuning', 'feeds', 'fed', 'ablation', 'units', 'families', 'atlas',
]

/** Read a view from a path and a query; what makes no sense is left out. */
export function parse(path: string, query: string): View {
  const parameters = new URLSearchParams(query)
  const embed = parameters.get('embed') === '1'
  const beside = parameters.get('beside') === '1'
  const figure = EVIDENCE.find((name) => name === parameters.get('view')) ?? null
  const [, unitLayer, channel] = /^\/unit\/([^/]+)\/(\d{1,7})\/?$/.exec(path) ?? []
  if (unitLayer !== undefined) return { ...start, page: 'unit', layer: decode(unitLayer), channel: Number(channel), figure, embed, beside }
  const sheet = /^\/layer\/([^/]+)\/?$/.exec(path)?.[1]
  const [sort, find] = [parameters.get('sort') || null, parameters.get('find') || null]
  const atlas = ATLASES.find((name) => name === parameters.get('atlas')) ?? null
  if (sheet !== undefined) return { ...start, page: 'layer', layer: decode(sheet), sort, find, atlas, figure, embed, beside }
  const image = /^\/image\/([^/]+)\/?$/.exec(path)?.[1]
  const spelled = parseSpelled(parameters.get('view'))
  return {
    ...start,
    image: image === undefined ? null : decode(image),
    layer: parameters.get('layer') || spelled.layer,
    figure: spelled.figure,
    place: parsePlace(parameters.get('at')),
    of: parseIndex(parameters.get('of')),
    rather: parseIndex(parameters.get('rather')),
    drill: parseDrill(parameters.get('drill')),
    edits: parameters.getAll('edit').filter(Boolean),
    patch: parseBox(parameters.get('patch')),
    without: parseBox(parameters.get('not')),
    groups: parseIndex(parameters.get('groups')),
    group: parseIndex(parameters.get('group')),
    depth: parseIndex(parameters.get('depth')),
    flow: parseIndex(parameters.get('flow')),
    trace: parseNode(parameters.get('trace')),
    scaled: parameters.get('cells') === 'scaled',
    zoom: parseIndex(parameters.get('zoom')),
    embed,
    beside,
  }
}

/** Write a view as a path with its query. */
export function format(view: View): string {
  const [path, parts] = view.page === 'workspace' ? workspace(view) : sheetOrUnit(view)
  if (view.embed) parts.push('embed=1')
  if (view.beside) parts.push('beside=1')
  return parts.length ? `${path}?${parts.join('&')}` : path
}

/** The path of an address, and its query with the question mark. */
export function split(url: string): { path: string; query: string } {
  const cut = url.indexOf('?')
  return cut < 0 ? { path: url, query: '' } : { path: url.slice(0, cut), query: url.slice(cut) }
}

export function same(a: View, b: View): boolean {
  return format(a) === format(b)
}

function workspace(view: View): [string, string[]] {
  const parts: string[] = []
  if (view.figure !== null) parts.push(`view=${spell(view.figure, view.layer)}`)
  else if (view.layer !== null) parts.push(`layer=${readable(view.layer)}`)
  if (view.place !== null) parts.push(`at=${view.place.row},${view.place.column}`)
  if (view.of !== null) parts.push(`of=${view.of}`)
  if (view.rather !== null) parts.push(`rather=${view.rather}`)
  if (view.drill !== null) parts.push(`drill=${readable(view.drill.layer)}:${view.drill.channel}`)
  for (const edit of view.edits) parts.push(`edit=${readable(edit)}`)
  if (view.patch !== null) parts.push(`patch=${written(view.patch)}`)
  if (view.without !== null) parts.push(`not=${written(view.without)}`)
  for (const name of ['groups', 'group', 'depth', 'flow'] as const)
    if (view[name] !== null) parts.push(`${name}=${view[name]}`)
  if (view.trace !== null) parts.push(`trace=${view.trace.join('.')}`)
  if (view.scaled) parts.push('cells=scaled')
  if (view.zoom !== null) parts.push(`zoom=${view.zoom}`)
  return [view.image === null ? '/' : `/image/${encodeURIComponent(view.image)}`, parts]
}

function sheetOrUnit(view: View): [string, string[]] {
  const layer = readable(view.layer ?? '')
  const parts: string[] = view.figure === null ? [] : [`view=${view.figure}`]
  if (view.page === 'unit') return [`/unit/${layer}/${view.channel ?? 0}`, parts]
  if (view.sort !== null) parts.push(`sort=${readable(view.sort)}`)
  if (view.find !== null) parts.push(`find=${readable(view.find)}`)
  if (view.atlas !== null) parts.push(`atlas=${view.atlas}`)
  return [`/layer/${layer}`, parts]
}

/** A figure of a layer in the article's grammar: layer/atom/content/presentation; without the layer, the usual one's. */
function spell(figure: string, layer: string | null): string {
  return `${layer === null ? '' : `${readable(layer)}/`}${GRAMMAR[figure] ?? ''}`
}

function parseSpelled(text: string | null): { figure: string | null; layer: string | null } {
  const parts = (text ?? '').split('/')
  const ending = parts.slice(-3).join('/')
  const layer = parts.slice(0, -3).join('/') || null
  return { figure: Object.keys(GRAMMAR).find((name) => GRAMMAR[name] === ending) ?? null, layer }
}

function parsePlace(text: string | null): Place | null {
  const match = /^(\d{1,6}),(\d{1,6})$/.exec(text ?? '')
  return match ? { row: Number(match[1]), column: Number(match[2]) } : null
}

function parseDrill(text: string | null): Drill | null {
  const match = /^(.+):(\d{1,7})$/.exec(text ?? '')
  return match ? { layer: match[1]!, channel: Number(match[2]) } : null
}

function parseNode(text: string | null): [number, number] | null {
  const match = /^(\d{1,3})\.(\d{1,3})$/.exec(text ?? '')
  return match ? [Number(match[1]), Number(match[2])] : null
}

function parseIndex(text: string | null): number | null {
  return /^\d{1,7}$/.test(text ?? '') ? Number(text) : null
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** Text that keeps the signs of an address legible. */
function readable(text: string): string {
  return encodeURIComponent(text).replace(/%3A/g, ':').replace(/%40/g, '@').replace(/%2C/g, ',')
}
