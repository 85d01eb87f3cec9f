/** What stands on the page as a picture of its own: boxes, lines, words and images as SVG, no HTML inside; and as PNG. */

export interface Drawn {
  readonly svg: string
  readonly width: number
  readonly height: number
}

export interface Told {
  readonly title: string
  /** Below the figure: what it is of, and what made it. */
  readonly foot: string
  /** Into its metadata. */
  readonly record: unknown
}

const [EDGE, FINE, PIXELS] = [16, 2, 48e6]
const [INK, QUIET] = ['#1c1c1c', '#626262']
const UNTAKEN = '[popover], script, style, input[type=range]'
/** Properties of shapes that may come from the style sheet, each with what it is where nothing says anything. */
const PAINT: Readonly<Record<string, string>> = {
  fill: 'rgb(0, 0, 0)', 'fill-opacity': '1', stroke: 'none', 'stroke-width': '1px', 'stroke-dasharray': 'none',
  'stroke-opacity': '1', 'stroke-linecap': 'butt', 'stroke-linejoin': 'miter', opacity: '1', 'paint-order': 'normal',
}
const STOP: Readonly<Record<string, string>> = { 'stop-color': '', 'stop-opacity': '1' }
const LETTERS: Readonly<Record<string, string>> = {
  ...PAINT, 'font-size': '', 'font-weight': '400', 'text-anchor': 'start', 'dominant-baseline': 'auto',
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
const short = (value: number): string => String(Math.round(value * 100) / 100)
const pixels = (text: string): number => parseFloat(text) || 0

function tag(name: string, attributes: Readonly<Record<string, string | number | null>>, inner = ''): string {
  const given = Object.entries(attributes).flatMap(([key, value]) =>
    value === null ? [] : [` ${key}="${typeof value === 'number' ? short(value) : escaped(value)}"`],
  )
  return inner ? `<${name}${given.join('')}>${inner}</${name}>` : `<${name}${given.join('')}/>`
}

/** A figure as it stands, on white, with its title and where it comes from inside. */
export async function vector(root: HTMLElement, told: Told): Promise<Drawn> {
  const images = await loaded(root)
  const y = scrollY
  root.dataset.taken = '' // until it is drawn it is dressed for paper; nothing of that is ever shown
  try {
    return new Tracing(root, images).drawn(told)
  } finally {
    delete root.dataset.taken
    scrollTo({ top: y, behavior: 'instant' })
  }
}

/** The same in pixels, on white. */
export async function raster({ svg, width, height }: Drawn): Promise<Blob> {
  const scale = Math.min(FINE, Math.sqrt(PIXELS / (width * height)), 16000 / Math.max(width, height))
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))
  try {
    const image = new Image()
    image.src = url
    await image.decode()
    const canvas = document.createElement('canvas')
    ;[canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)]
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done))
    if (!blob) throw new Error('The picture is too large for this browser.')
    return blob
  } finally {
    URL.revokeObjectURL(url)
  }
}

const address = (background: string): string | null => /^url\("?(.*?)"?\)$/.exec(background)?.[1] ?? null

/** All that must be there before a figure can be drawn at one go: the images behind boxes. */
async function loaded(root: HTMLElement): Promise<Map<string, HTMLImageElement>> {
  const images = new Map<string, HTMLImageElement>()
  for (const element of root.querySelectorAll('*')) {
    const url = address(getComputedStyle(element).backgroundImage)
    if (url && !images.has(url)) images.set(url, Object.assign(new Image(), { src: url }))
  }
  const shown = [...root.querySelectorAll('img')].filter((image) => image.src && image.loading !== 'lazy')
  await Promise.all([...images.values(), ...shown].map((image) => image.decode().catch(() => {})))
  return images
}

class Tracing {
  private readonly origin: DOMRect
  private readonly pen = document.createElement('canvas').getContext('2d')!
  private readonly family: string
  private clips = ''
  private count = 0
  private right = 0
  private bottom = 0

  constructor(
    private readonly root: HTMLElement,
    private readonly images: ReadonlyMap<string, HTMLImageElement>,
  ) {
    this.origin = root.getBoundingClientRect()
    this.family = getComputedStyle(root).fontFamily
  }

  drawn({ title, foot, record }: Told): Drawn {
    const inner = this.element(this.root, null)
    const width = Math.ceil(Math.max(this.right, this.origin.width)) + 2 * EDGE
    this.pen.font = `11px ${this.family}`
    const feet = wrapped(foot, width - 2 * EDGE, (text) => this.pen.measureText(text).width)
    const top = Math.ceil(this.bottom) + EDGE + 22
    const height = top + feet.length * 16 + EDGE - 8
    const words = feet.map((line, at) => tag('text', { x: EDGE, y: top + at * 16, 'font-size': 11, fill: QUIET }, escaped(line)))
    const svg = tag(
      'svg',
      { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': this.family, fill: INK },
      [
        tag('title', {}, escaped(title)), tag('desc', {}, escaped(foot)), tag('metadata', {}, escaped(JSON.stringify(record))),
        this.clips ? tag('defs', {}, this.clips) : '',
        tag('rect', { width, height, fill: '#ffffff' }),
        tag('g', { transform: `translate(${EDGE} ${EDGE})` }, inner),
        ...words,
      ].join('\n'),
    )
    return { svg: `<?xml version="1.0" encoding="UTF-8"?>\n${svg}\n`, width, height }
  }

  private place({ left, top, width, height }: DOMRect): { x: number; y: number; width: number; height: number } {
    const [x, y] = [left - this.origin.left, top - this.origin.top]
    this.right = Math.max(this.right, x + width)
    this.bottom = Math.max(this.bottom, y + height)
    return { x, y, width, height }
  }

  /** An element and what is in it; `limit`: where lines end in an ellipsis. */
  private element(element: Element, limit: number | null): string {
    if (element.matches(UNTAKEN)) return ''
    const style = getComputedStyle(element)
    if (style.display === 'none' || style.visibility !== 'visible' || Number(style.opacity) < 0.01) return ''
    if (style.clipPath.startsWith('inset(50%')) return ''
    const box = element.getBoundingClientRect()
    if (element instanceof SVGSVGElement) return this.grouped(style, this.svg(element, box, style))
    if (element instanceof HTMLImageElement) return element.naturalWidth ? this.image(element, box, style) : ''
    if (element instanceof HTMLCanvasElement) return element.width ? this.image(element, box, style) : ''
    const ends = style.textOverflow === 'ellipsis' && element.scrollWidth > element.clientWidth ? box.right : limit
    let inner = ''
    for (const child of element.childNodes)
      if (child instanceof Text) inner += this.words(child, style, ends)
      else if (child instanceof Element) inner += this.element(child, ends)
    if (element instanceof HTMLSelectElement) inner = this.line(element.selectedOptions[0]?.label ?? '', box, style)
    else if (element instanceof HTMLInputElement) inner = this.line(element.value || element.placeholder, box, style)
    return this.grouped(style, this.behind(box, style) + (this.cuts(element, style) ? this.clipped(inner, box, style) : inner))
  }

  private grouped(style: CSSStyleDeclaration, inner: string): string {
    const looks = [
      style.mixBlendMode === 'normal' ? '' : `mix-blend-mode:${style.mixBlendMode}`,
      style.filter === 'none' ? '' : `filter:${style.filter}`,
      style.isolation === 'isolate' ? 'isolation:isolate' : '',
    ].filter(Boolean)
    const opacity = Number(style.opacity)
    if (!inner || (!looks.length && opacity === 1)) return inner
    return tag('g', { opacity: opacity === 1 ? null : opacity, style: looks.join(';') || null }, inner)
  }

  private cuts(element: Element, { overflowX, borderRadius }: CSSStyleDeclaration): boolean {
    if (overflowX !== 'hidden' && overflowX !== 'clip') return false
    if (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1) return true
    return pixels(borderRadius) > 0 && element.querySelector('img, canvas') !== null
  }

  private clipped(inner: string, box: DOMRect, { borderRadius }: CSSStyleDeclaration): string {
    if (!inner) return ''
    const id = `clip${this.count++}`
    this.clips += tag('clipPath', { id }, tag('rect', { ...this.place(box), rx: pixels(borderRadius) || null }))
    return tag('g', { 'clip-path': `url(#${id})` }, inner)
  }

  /** The ground and the borders of a box. */
  private behind(box: DOMRect, style: CSSStyleDeclaration): string {
    if (!box.width || !box.height) return ''
    const { x, y, width, height } = this.place(box)
    const round = style.borderRadius.endsWith('%') ? width / 2 : Math.min(pixels(style.borderRadius), width / 2, height / 2)
    let drawn = ''
    if (!isClear(style.backgroundColor)) drawn += tag('rect', { x, y, width, height, rx: round || null, fill: style.backgroundColor })
    if (style.backgroundImage !== 'none') drawn += this.ground(box, style)
    const sides = (['Top', 'Right', 'Bottom', 'Left'] as const).map((side) => {
      const kind = style[`border${side}Style`]
      const thick = kind === 'none' || kind === 'hidden' ? 0 : pixels(style[`border${side}Width`])
      const dash = kind === 'dashed' ? `${3 * thick} ${2 * thick}` : kind === 'dotted' ? `${thick} ${thick}` : null
      return { thick, stroke: style[`border${side}Color`], dash }
    })
    const [top, right, bottom, left] = sides as [Side, Side, Side, Side]
    if (sides.every((side) => side.thick && side.thick === top.thick && side.stroke === top.stroke)) {
      if (isClear(top.stroke)) return drawn
      const half = top.thick / 2
      const frame = { x: x + half, y: y + half, width: Math.max(width - top.thick, 0), height: Math.max(height - top.thick, 0) }
      return drawn + tag('rect', { ...frame, rx: Math.max(round - half, 0) || null, fill: 'none', ...stroked(top) })
    }
    const line = (side: Side, x1: number, y1: number, x2: number, y2: number): string =>
      side.thick && !isClear(side.stroke) ? tag('line', { x1, y1, x2, y2, ...stroked(side) }) : ''
    const [far, low] = [x + width, y + height]
    drawn += line(top, x, y + top.thick / 2, far, y + top.thick / 2) + line(bottom, x, low - bottom.thick / 2, far, low - bottom.thick / 2)
    return drawn + line(left, x + left.thick / 2, y, x + left.thick / 2, low) + line(right, far - right.thick / 2, y, far - right.thick / 2, low)
  }

  /** What lies on the ground of a box: an image, as much of it as is seen, or a plain line that is written as a gradient. */
  private ground(box: DOMRect, style: CSSStyleDeclaration): string {
    const [across = 'auto', down = across] = style.backgroundSize.split(' ')
    const [left = '0%', top = '0%'] = style.backgroundPosition.split(' ')
    const url = address(style.backgroundImage)
    if (!url) {
      const colour = /rgba?\([^)]*\)/.exec(style.backgroundImage)?.[0]
      if (!colour) return ''
      if (style.backgroundImage.startsWith('repeating')) return tag('rect', { ...this.place(box), fill: colour, opacity: 0.5 })
      const height = down === 'auto' ? box.height : length(down, box.height, box.height)
      const { x, y, width } = this.place(box)
      return tag('rect', { x, y: y + along(top, box.height - height), width, height, fill: colour })
    }
    const image = this.images.get(url)
    if (!image?.naturalWidth) return ''
    const ratio = image.naturalWidth / image.naturalHeight
    const fit = across === 'cover' ? Math.max : across === 'contain' ? Math.min : null
    const given = across === 'auto' ? image.naturalWidth : length(across, box.width, box.width)
    const width = fit ? fit(box.width, box.height * ratio) : given
    const height = fit || down === 'auto' ? width / ratio : length(down, box.height, box.height)
    return this.painted(box, style, (pen) => pen.drawImage(image, along(left, box.width - width), along(top, box.height - height), width, height))
  }

  private image(source: HTMLImageElement | HTMLCanvasElement, box: DOMRect, style: CSSStyleDeclaration): string {
    if (!box.width || !box.height) return ''
    const [wide, high] = source instanceof HTMLImageElement ? [source.naturalWidth, source.naturalHeight] : [source.width, source.height]
    const cover = style.objectFit === 'cover'
    const scale = Math.max(box.width / wide, box.height / high)
    const [width, height] = cover ? [wide * scale, high * scale] : [box.width, box.height]
    return this.painted(box, style, (pen) => pen.drawImage(source, (box.width - width) / 2, (box.height - height) / 2, width, height), true)
  }

  /** A box of pixels; what the style says of them as a whole is painted in, or said beside. */
  private painted(box: DOMRect, style: CSSStyleDeclaration, paint: (pen: CanvasRenderingContext2D) => void, own = false): string {
    const scale = Math.min(FINE, 3000 / Math.max(box.width, box.height))
    const canvas = document.createElement('canvas')
    ;[canvas.width, canvas.height] = [Math.max(1, Math.round(box.width * scale)), Math.max(1, Math.round(box.height * scale))]
    const pen = canvas.getContext('2d')!
    pen.setTransform(canvas.width / box.width, 0, 0, canvas.height / box.height, 0, 0)
    const round = pixels(style.borderRadius)
    if (round) {
      pen.roundRect(0, 0, box.width, box.height, round)
      pen.clip()
    }
    pen.imageSmoothingEnabled = style.imageRendering !== 'pixelated'
    pen.imageSmoothingQuality = 'high'
    if (own && style.filter !== 'none') pen.filter = style.filter
    paint(pen)
    const blend = own && style.mixBlendMode !== 'normal' ? `mix-blend-mode:${style.mixBlendMode}` : null
    const opacity = own && Number(style.opacity) < 1 ? Number(style.opacity) : null
    return tag('image', { ...this.place(box), href: canvas.toDataURL(), preserveAspectRatio: 'none', opacity, style: blend })
  }

  /** The lines of a text, each at its place. */
  private words(node: Text, style: CSSStyleDeclaration, limit: number | null): string {
    const range = document.createRange()
    const lines: { text: string; left: number; right: number; top: number; height: number }[] = []
    const add = (text: string, { left, right, top, height }: DOMRect, from: number): void => {
      const line = lines.at(-1)
      if (line && Math.abs(line.top - top) < 2 && left >= line.right - 1) {
        line.text += (/\s/.test(node.data[from - 1] ?? '') && !/\s$/.test(line.text) ? ' ' : '') + text
        line.right = right
      } else if (height) lines.push({ text, left, right, top, height })
    }
    for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
      const rects = this.rects(range, node, index, index + word.length)
      if (rects.length === 1 && (limit === null || rects[0]!.right <= limit)) add(word, rects[0]!, index)
      else
        for (let i = 0; i < word.length; i++) {
          const [rect] = this.rects(range, node, index + i, index + i + 1)
          if (!rect) continue
          if (limit !== null && rect.right > limit - 6) {
            const line = lines.at(-1)
            if (line && !line.text.endsWith('…')) [line.text, line.right] = [`${line.text}…`, line.right + pixels(style.fontSize) * 0.7]
            return this.told(lines, style)
          }
          add(word[i]!, rect, i ? -1 : index)
        }
    }
    return this.told(lines, style)
  }

  private rects(range: Range, node: Text, start: number, end: number): DOMRect[] {
    range.setStart(node, start)
    range.setEnd(node, end)
    return [...range.getClientRects()].filter((rect) => rect.width > 0)
  }

  private told(lines: readonly { text: string; left: number; right: number; top: number; height: number }[], style: CSSStyleDeclaration): string {
    const drawn = lines.map(({ text, left, right, top, height }) => this.line(text, new DOMRect(left, top, right - left, height), style, right - left))
    return drawn.join('')
  }

  private line(text: string, box: DOMRect, style: CSSStyleDeclaration, width: number | null = null): string {
    if (!text) return ''
    this.pen.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = this.pen.measureText('x')
    const { x, y } = this.place(box)
    const spaced = style.letterSpacing !== 'normal' && style.letterSpacing !== '0px'
    return tag(
      'text',
      {
        x: width === null ? x + pixels(style.paddingLeft) : x, y: y + (box.height - up - down) / 2 + up,
        'font-size': pixels(style.fontSize), 'font-weight': style.fontWeight === '400' ? null : style.fontWeight,
        'font-style': style.fontStyle === 'normal' ? null : style.fontStyle,
        'font-family': style.fontFamily === this.family ? null : style.fontFamily,
        'letter-spacing': spaced ? style.letterSpacing : null, fill: style.color,
        textLength: width, lengthAdjust: width === null ? null : 'spacingAndGlyphs',
        'text-decoration': style.textDecorationLine === 'underline' ? 'underline' : null,
      },
      escaped(style.textTransform === 'uppercase' ? text.toUpperCase() : text),
    )
  }

  private svg(element: SVGSVGElement, box: DOMRect, style: CSSStyleDeclaration): string {
    const visible = style.overflow === 'visible' ? 'visible' : null
    const inner = [...element.children].map((child) => this.shape(child)).join('')
    return tag('svg', { ...this.place(box), viewBox: element.getAttribute('viewBox'), overflow: visible, fill: style.fill }, inner)
  }

  private shape(element: Element): string {
    const style = getComputedStyle(element)
    if (style.display === 'none' || style.visibility === 'hidden' || element.tagName === 'title') return ''
    const attributes: Record<string, string | null> = {}
    for (const { name, value } of element.attributes) if (!/^(class|style|role|tabindex|on|aria-|data-)/.test(name)) attributes[name] = value
    const from = element.tagName === 'stop' ? STOP : /^(text|tspan)$/.test(element.tagName) ? LETTERS : PAINT
    for (const [name, usual] of Object.entries(from)) {
      const value = style.getPropertyValue(name)
      attributes[name] = value && (value !== usual || (name === 'fill' && element.tagName !== 'g')) ? value : (attributes[name] ?? null)
    }
    if (style.mixBlendMode !== 'normal') attributes.style = `mix-blend-mode:${style.mixBlendMode}`
    let inner = ''
    for (const child of element.childNodes) inner += child instanceof Text ? escaped(child.data.trim()) : this.shape(child as Element)
    return tag(element.tagName, attributes, inner)
  }
}

interface Side {
  readonly thick: number
  readonly stroke: string
  readonly dash: string | null
}

const stroked = ({ thick, stroke, dash }: Side) => ({ stroke, 'stroke-width': thick, 'stroke-dasharray': dash })
const isClear = (colour: string): boolean => colour === 'transparent' || /^rgba\(.*, 0\)$/.test(colour)
/** A length of a background, of which `whole` is 100 %. */
const length = (text: string, whole: number, usual: number): number =>
  text.endsWith('%') ? (parseFloat(text) / 100) * whole : text === 'auto' ? usual : pixels(text)
/** A position of a background: in percent of the room that is left. */
const along = (text: string, rest: number): number => (text.endsWith('%') ? (parseFloat(text) / 100) * rest : pixels(text))

/** A text in lines of at most this width. */
export function wrapped(text: string, room: number, width: (text: string) => number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && width(`${last} ${word}`) <= room) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
