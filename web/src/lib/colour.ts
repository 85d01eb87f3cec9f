/** Colours that are computed and shown: the veil over a photograph, and whether two colours can be told apart. */

export type Rgb = readonly [number, number, number]

/** Read "#f60" or "#ff6600". */
export function parseHex(text: string): Rgb {
  const match = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())
  if (!match) throw new Error(`not a colour: ${text}`)
  const digits = match[1]!.length === 3 ? [...match[1]!].map((digit) => digit + digit).join('') : match[1]!
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16)) as unknown as Rgb
}

/** Contrast of two colours, 1 to 21 (WCAG 2.2, 1.4.3). */
export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** RGBA pixels that darken a photograph where `values` are small, `depth` (0 to 1) where they are zero. */
export function veil(values: ArrayLike<number>, peak: number, depth = 0.78): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(values.length * 4)
  for (let i = 0; i < values.length; i++) {
    const share = peak > 0 ? Math.min(Math.max(values[i]! / peak, 0), 1) : 0
    pixels[i * 4 + 3] = Math.round(255 * depth * (1 - Math.sqrt(share)))
  }
  return pixels
}

/** RGBA pixels of a tile of weights: blue where it excites, orange where it inhibits, clear at zero. */
export function tile(weights: ArrayLike<number>, peak: number): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(weights.length * 4)
  for (let i = 0; i < weights.length; i++) {
    const share = peak > 0 ? Math.min(Math.max(weights[i]! / peak, -1), 1) : 0
    pixels.set(share < 0 ? [230, 97, 1] : [5, 113, 176], i * 4)
    pixels[i * 4 + 3] = Math.round(255 * Math.abs(share) ** 0.7)
  }
  return pixels
}

/** Puts RGBA pixels, one for each place, on a canvas; its style draws them large. */
export function showing(pixels: Uint8ClampedArray<ArrayBuffer>, columns: number, rows: number): (canvas: HTMLCanvasElement) => void {
  return (canvas) => {
    if (pixels.length !== rows * columns * 4) return
    if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows]
    canvas.getContext('2d')?.putImageData(new ImageData(pixels, columns, rows), 0, 0)
  }
}
