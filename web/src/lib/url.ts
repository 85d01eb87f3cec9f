/** The URL is the whole state of the page: what it says, and how a state is written as one. */
import type { Place } from './types'

/** What is looked at. Null: whatever the page shows first. */
export interface View {
  readonly image: string | null
  readonly layer: string | null
  /** The pinned place. */
  readonly place: Place | null
}

export const start: View = { image: null, layer: null, place: null }

/** Read a view from a path and a query; what makes no sense is left out. */
export function parse(path: string, query: string): View {
  const parameters = new URLSearchParams(query)
  const image = /^\/image\/([^/]+)\/?$/.exec(path)?.[1]
  return {
    image: image === undefined ? null : decode(image),
    layer: parameters.get('layer') || null,
    place: parsePlace(parameters.get('at')),
  }
}

/** Write a view as a path with its query. */
export function format(view: View): string {
  const path = view.image === null ? '/' : `/image/${encodeURIComponent(view.image)}`
  const parts: string[] = []
  if (view.layer !== null) parts.push(`layer=${readable(view.layer)}`)
  if (view.place !== null) parts.push(`at=${view.place.row},${view.place.column}`)
  return parts.length ? `${path}?${parts.join('&')}` : path
}

export function same(a: View, b: View): boolean {
  return format(a) === format(b)
}

function parsePlace(text: string | null): Place | null {
  const match = /^(\d{1,6}),(\d{1,6})$/.exec(text ?? '')
  return match ? { row: Number(match[1]), column: Number(match[2]) } : null
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** Query text that keeps the signs of an address legible. */
function readable(text: string): string {
  return encodeURIComponent(text).replace(/%3A/g, ':').replace(/%40/g, '@').replace(/%2C/g, ',')
}
