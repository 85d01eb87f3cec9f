/** Families of a layer's units: what each kind is called, and where in a family a unit stands. */
import type { FamilyKind } from './types'

interface Words {
  readonly title: string
  /** One sentence for a newcomer. */
  readonly how: string
  readonly none: string
}

const WORDS: Readonly<Record<string, Words>> = {
  rotation: { title: 'Turned', how: 'The same stripes at other angles.', none: 'No units that are each other turned' },
  reflection: { title: 'Mirrored', how: 'Pairs that are each other in a mirror, and not each other turned.', none: 'No mirror images' },
  scale: { title: 'Scaled', how: 'The same stripes, finer or coarser.', none: 'No units that are each other at another scale' },
  hue: { title: 'Recoloured', how: 'The same discs in other hues.', none: 'No units that are each other in another hue' },
}

export const wordsOf = (kind: string): Words => WORDS[kind] ?? { title: kind, how: '', none: 'None' }

/** How many families with how many units: "2 families, 8 units". */
export function counted(families: number, units: number, kind = ''): string {
  if (!families) return 'none'
  if (kind === 'reflection') return `${families} pair${families === 1 ? '' : 's'}`
  return `${families} ${families === 1 ? 'family' : 'families'}, ${units} units`
}

/** How many there are, and how many after each unit's values were shuffled. */
export function beside(kind: FamilyKind): { found: string; shuffled: string } {
  const units = kind.families.reduce((sum, family) => sum + family.channels.length, 0)
  return { found: counted(kind.families.length, units, kind.kind), shuffled: counted(kind.shuffled, kind.shuffled_units, kind.kind) }
}

/** The control has as much of it: it says nothing of the layer. */
export const chance = (kind: FamilyKind): boolean => kind.shuffled > 0 && kind.shuffled >= kind.families.length

/** Where a unit stands, in words: 39.4°, +0.6 octaves. */
export function placeText(kind: FamilyKind, place: number): string {
  const value = Math.round(place * 10) / 10
  if (kind.unit === 'degrees') return `${value}°`
  return value === 0 ? 'first' : `+${value} oct.`
}
