/** Small pictures side by side in one file: where one of them is, as the background of a box. */

export interface Sprite {
  readonly image: string
  readonly size: string
  readonly position: string
}

/** The picture at a number of a file of equal pictures in rows; it fills the box. */
export function sprite(file: string, columns: number, rows: number, at: number): Sprite {
  const part = (index: number, count: number): number => (count > 1 ? (100 * index) / (count - 1) : 0)
  return {
    image: `url("${file}")`,
    size: `${100 * columns}% ${100 * rows}%`,
    position: `${part(at % columns, columns)}% ${part(Math.floor(at / columns), rows)}%`,
  }
}

/** Lay it behind an element: `{@attach laid(...)}`. */
export const laid =
  ({ image, size, position }: Sprite) =>
  (node: HTMLElement): void => {
    Object.assign(node.style, { backgroundImage: image, backgroundSize: size, backgroundPosition: position })
  }
