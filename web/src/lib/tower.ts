/** The model as a tower: which floors stand, how wide and how thick each is. */
import type { Layer } from './types'
import { grouped } from './words'

export interface Floor {
  readonly layer: Layer
  /** Hints at the resolution: share of the tower's width. */
  readonly width: number
  /** Hints at the number of channels, in CSS pixels. */
  readonly thickness: number
  readonly folded: boolean
}

const THINNEST = 4
const THICKEST = 16
const FOLDED = 3
const NARROWEST = 0.22

/** The floors from the output at the top to the input at the bottom; without `all`, activations and the two ends only. */
export function floors(layers: readonly Layer[], chosen: string | null, all: boolean): Floor[] {
  const standing = layers.filter((layer) => isEnd(layer) || prominent(layers, layer) || all || layer.name === chosen)
  const sides = layers.map(side).filter((value) => value > 0)
  const least = Math.log2(Math.min(...sides, 1e9))
  const span = Math.max(Math.log2(Math.max(...sides, 1)) - least, 1e-9)
  const most = Math.sqrt(Math.max(...layers.filter((layer) => !isEnd(layer)).map((layer) => layer.channels), 1))
  return standing
    .map((layer) => ({
      layer,
      width: side(layer) ? NARROWEST + ((1 - NARROWEST) * (Math.log2(side(layer)) - least)) / span : NARROWEST,
      thickness: thickness(layer, most, prominent(layers, layer) || isEnd(layer)),
      folded: !(prominent(layers, layer) || isEnd(layer)),
    }))
    .reverse()
}

/** By how much the floors are to be thinned so that the tower is about `height` pixels high; never below a third. */
export function scaleTo(standing: readonly Floor[], height: number): number {
  const gap = 3
  const total = standing.reduce((sum, floor) => sum + floor.thickness, 0)
  return Math.min(Math.max((height - gap * standing.length) / Math.max(total, 1), 0.34), 1.25)
}

/** How many floors are folded away. */
export function foldedCount(layers: readonly Layer[]): number {
  return layers.filter((layer) => !isEnd(layer) && !prominent(layers, layer)).length
}

/** The floor above (+1) or below (-1) that can be chosen; the same one at the ends. */
export function neighbour(standing: readonly Floor[], name: string | null, by: number): string | null {
  const open = standing.filter((floor) => floor.layer.spatial)
  const at = open.findIndex((floor) => floor.layer.name === name)
  if (at < 0) return open[0]?.layer.name ?? null
  return open[Math.min(Math.max(at - by, 0), open.length - 1)]!.layer.name
}

/** An early, a middle and a late layer to begin with. */
export function landmarks(layers: readonly Layer[]): [Layer, Layer, Layer] | null {
  const open = layers.filter((layer) => layer.spatial && !isEnd(layer) && prominent(layers, layer))
  if (open.length < 3) return null
  const at = (share: number): Layer => open[Math.round(share * (open.length - 1))]!
  return [at(0.08), at(0.5), at(0.92)]
}

/** One line on a layer: its grid, its channels, how far one place sees. */
export function facts(layer: Layer): string {
  const parts: string[] = []
  if (layer.height !== null && layer.width !== null) parts.push(`${layer.height} × ${layer.width} places`)
  parts.push(`${grouped(layer.channels)} ${layer.name === 'logits' ? 'labels' : 'channels'}`)
  if (layer.receptive_field !== null && layer.receptive_field > 1)
    parts.push(`each place sees ${grouped(layer.receptive_field)} px`)
  return parts.join(' · ')
}

const isEnd = (layer: Layer): boolean => layer.name === 'input' || layer.name === 'logits'

/** Activation layers; in a model that has none, every layer with places. */
function prominent(layers: readonly Layer[], layer: Layer): boolean {
  return layers.some((each) => each.activation) ? layer.activation : layer.spatial
}

const side = (layer: Layer): number => Math.max(layer.height ?? 0, layer.width ?? 0)

function thickness(layer: Layer, most: number, open: boolean): number {
  if (!open) return FOLDED
  if (isEnd(layer)) return THICKEST
  return Math.round(THINNEST + ((THICKEST - THINNEST) * Math.sqrt(layer.channels)) / most)
}
