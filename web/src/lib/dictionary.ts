/** Reading a layer's dictionary: the strongest units at a place, and the places where a unit is among them. */
import type { Dictionary, Place } from './types'

export interface Entry {
  readonly layer: string
  readonly address: string
  readonly channel: number
  readonly magnitude: number
  /** Of the largest magnitude in the whole map, 0 to 1. */
  readonly share: number
}

export function unitAddress(layer: string, channel: number): string {
  const bare = /^[A-Za-z0-9_][A-Za-z0-9_.]*(~\d+)?(\[[A-Za-z0-9_.]+\])?$/.test(layer)
  return `${bare ? layer : `\`${layer.replaceAll('`', '``')}\``}:${channel}`
}

/** The strongest units at a place, strongest first; silent ones are left out. */
export function entriesAt(dictionary: Dictionary, place: Place): Entry[] {
  const { layer, count, peak } = dictionary
  const first = (place.row * dictionary.width + place.column) * count
  const found: Entry[] = []
  for (let i = first; i < first + count; i++) {
    const [channel, magnitude] = [dictionary.channels[i], dictionary.magnitudes[i]]
    if (channel === undefined || magnitude === undefined || magnitude <= 0) continue
    const share = peak > 0 ? magnitude / peak : 0
    found.push({ layer, address: unitAddress(layer, channel), channel, magnitude, share })
  }
  return found
}

/** A unit's magnitude at every place where it is among the strongest, 0 elsewhere, row by row. */
export function mapOf(dictionary: Dictionary, channel: number): Float32Array {
  const { count } = dictionary
  const map = new Float32Array(dictionary.height * dictionary.width)
  for (let i = 0; i < dictionary.channels.length; i++)
    if (dictionary.channels[i] === channel) map[Math.floor(i / count)] = Math.max(dictionary.magnitudes[i]!, 0)
  return map
}

/** The place where the layer fires most, and where it fires least (by the L2 norm of its activations). */
export function extremes(dictionary: Dictionary): { busiest: Place; quietest: Place } {
  let [most, least] = [0, 0]
  dictionary.norms.forEach((norm, i) => {
    if (norm > dictionary.norms[most]!) most = i
    if (norm < dictionary.norms[least]!) least = i
  })
  const place = (i: number): Place => ({ row: Math.floor(i / dictionary.width), column: i % dictionary.width })
  return { busiest: place(most), quietest: place(least) }
}
