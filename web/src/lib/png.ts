/** Words inside a PNG: a text chunk that says what the picture is of and how it was made. */

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
  return value
})

/** The check sum that every chunk of a PNG ends with. */
export function crc(bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) value = CRC[(value ^ byte) & 255]! ^ (value >>> 8)
  return (value ^ 0xffffffff) >>> 0
}

/** A PNG with an iTXt chunk (UTF-8, not compressed) more, after its first chunk. */
export function withWords(png: Uint8Array, keyword: string, words: string): Uint8Array<ArrayBuffer> {
  const write = new TextEncoder()
  const body = Uint8Array.from([...write.encode(`iTXt${keyword}`), 0, 0, 0, 0, 0, ...write.encode(words)])
  const chunk = new Uint8Array(body.length + 8)
  const view = new DataView(chunk.buffer)
  view.setUint32(0, body.length - 4)
  chunk.set(body, 4)
  view.setUint32(body.length + 4, crc(body))
  const head = 8 + 25 // the signature, and IHDR, which always comes first
  const whole = new Uint8Array(png.length + chunk.length)
  whole.set(png.subarray(0, head))
  whole.set(chunk, head)
  whole.set(png.subarray(head), head + chunk.length)
  return whole
}
