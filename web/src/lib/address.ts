/** Which file of a published copy holds the answer to a request; `hooke.publish.names` says the same. */

const LONGEST = 80

/** The file, from the folder of the page: a legible beginning, and a hash of the whole request. */
export function fileOf(request: string): string {
  const whole = canonical(request)
  const slug = whole.replace(/[^A-Za-z0-9._=]+/g, '-').replace(/^-(api-)?/, '').slice(0, LONGEST)
  return `data/${slug}.${hash(whole)}.json`
}

/** A request with its parameters in order. */
export function canonical(request: string): string {
  const cut = request.indexOf('?')
  if (cut < 0) return decodeURIComponent(request)
  if (cut === request.length - 1) return decodeURIComponent(request.slice(0, cut))
  const parameters = [...new URLSearchParams(request.slice(cut + 1))].map(([name, value]) => `${name}=${value}`)
  return `${decodeURIComponent(request.slice(0, cut))}?${parameters.sort().join('&')}`
}

/** FNV-1a over the bytes of UTF-8, 32 bits, in hexadecimal. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193)
  return (value >>> 0).toString(16).padStart(8, '0')
}
