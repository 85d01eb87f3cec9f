/** Numbers, labels and times in words. */

/** A whole number, its thousands apart: 110,728. The browser's own way takes a third of a second for its first. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** A magnitude with about three significant digits: 0.031, 4.82, 31.5, 12,403; with a true minus. */
export function magnitude(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  let text: string
  if (size >= 1000) text = grouped(Math.round(size))
  else if (size >= 100) text = size.toFixed(0)
  else if (size >= 10) text = size.toFixed(1)
  else if (size >= 0.1 || size === 0) text = size.toFixed(2)
  else if (size >= 0.001) text = size.toPrecision(2)
  else text = size.toExponential(1).replace('-', '−')
  return value < 0 ? `−${text}` : text
}

/** A number with its sign, with a true minus: +0.31, −0.12. */
export function signed(value: number): string {
  const sign = value < 0 ? '−' : '+'
  return sign + magnitude(Math.abs(value))
}

/** A probability: 87 %, 4.1 %, < 0.1 %. */
export function percent(probability: number): string {
  const value = probability * 100
  if (value > 0 && value < 0.1) return '< 0.1 %'
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} %`
}

/** The first name of a label: ImageNet's are lists of synonyms. */
export function firstName(label: string): string {
  return label.split(',')[0]!.trim() || label
}

/** How long it will still take. */
export function timeLeft(seconds: number): string {
  if (!(seconds >= 0)) return ''
  if (seconds < 10) return `${Math.max(seconds, 0.1).toFixed(1)} s left`
  if (seconds < 90) return `${Math.round(seconds)} s left`
  return `${Math.round(seconds / 60)} min left`
}

export function seconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`
}

/** A layer's name cut in two, its last part kept whole: "blocks.4.1." + "bn2.act". */
export function ends(name: string): [string, string] {
  const parts = name.split('.')
  const tail = parts.slice(-2).join('.')
  return [name.slice(0, name.length - tail.length), tail]
}

/** How a picture was made, as names and values: the provenance of its record, without what is told elsewhere. */
export function provenance(record: unknown): [string, string][] {
  const inner = record && typeof record === 'object' && 'provenance' in record ? record.provenance : record
  return flatten(inner)
    .filter(([name, value]) => name !== 'address' && value !== '')
    .map(([name, value]) => [name.replace(/^(method|recorded) /, ''), abbreviated(value)])
}

/** Hashes are told by their beginnings. */
const abbreviated = (text: string): string => (/^[0-9a-f]{40,}$/.test(text) ? `${text.slice(0, 12)}…` : text)

/** The scalar facts of a nested record, by their paths: {method: {size: 128}} becomes "method size: 128". */
export function flatten(value: unknown, path = ''): [string, string][] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.length ? [[path, value.map((each) => text(each)).join(', ')]] : []
  if (typeof value !== 'object') return [[path || 'value', text(value)]]
  return Object.entries(value).flatMap(([name, inner]) => flatten(inner, path ? `${path} ${name}` : name))
}

function text(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return magnitude(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
