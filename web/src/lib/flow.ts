/** The flow as a diagram: nodes and ribbons as wide as what flows is large, and what belongs to one group of it. */
import type { EditedFlow, Flow, FlowElsewhere } from './types'

/** A group of a layer, by its number (the last is the rest); one layer more than there are: the target. */
export type Node = readonly [layer: number, group: number]

export interface Bar {
  readonly node: Node
  /** Where what flows in arrives, and where the bar begins from which all flows out. */
  readonly arrival: number
  readonly x: number
  /** Of the bar itself; it is as high as the larger of all that flows in and all that flows out. */
  readonly y: number
  readonly height: number
  /** What the node takes of its column, its picture included. */
  readonly top: number
  readonly room: number
  readonly value: number
  readonly rest: boolean
}

export interface Ribbon {
  readonly from: Node
  readonly to: Node
  readonly value: number
  readonly width: number
  /** Where it begins and ends, at its upper edge. */
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
}

/** What flows around the next layer (`out`), or comes from no group of the layer before (`in`). */
export interface Stub {
  readonly node: Node
  readonly side: 'in' | 'out'
  readonly value: number
  readonly width: number
  readonly x: number
  readonly y: number
}

export interface Diagram {
  readonly bars: Bar[]
  readonly ribbons: Ribbon[]
  readonly stubs: Stub[]
  readonly columns: number[]
  readonly height: number
  /** Pixels for each unit of flow. */
  readonly scale: number
}

export interface Room {
  readonly width: number
  /** Of all bars of the fullest column together. */
  readonly bars: number
  /** Side of a node's picture, to the left of its bar; what flows in arrives on its left. */
  readonly picture: number
  readonly bar: number
  readonly gap: number
  /** To the right of the target's bar, for its name. */
  readonly right: number
}

/** Left and right of a node's picture. */
export const MARGIN = 4

/** Lay the flow out: columns from the first layer to the target, groups where most of what they give goes, the rest
    of each layer at its foot. `beside`: another flow of the same groups; both then have the same scale and the same
    rooms, in the order of `first`. */
export function diagram(flow: Flow, room: Room, beside: Flow | null = null, first: Flow = flow): Diagram {
  const edges = edgesOf(flow)
  const sizes = sizesOf(flow, edges)
  const others = beside ? sizesOf(beside, edgesOf(beside)) : sizes
  const fullest = [...sizes, ...others].map((column) => sum(column.map(({ into, out }) => Math.max(into, out))))
  const scale = room.bars / Math.max(...fullest, 1e-30)
  const left = room.picture + MARGIN
  const step = (room.width - left - room.bar - room.right) / (sizes.length - 1)
  const columns = sizes.map((_, level) => left + level * step)
  const orders = ordered(first, edgesOf(first))
  const rooms = sizes.map((column, level) =>
    column.map(({ into, out }, group) => {
      const least = level === sizes.length - 1 ? 0 : group === column.length - 1 ? room.picture * 0.6 : room.picture
      const other = others[level]![group]!
      return Math.max(Math.max(into, out, other.into, other.out) * scale, least)
    }),
  )
  const heights = rooms.map((column) => sum(column) + room.gap * (column.length - 1))
  const height = Math.max(...heights)
  const bars = orders.flatMap((order, level) => {
    let top = (height - heights[level]!) / 2
    return order.map((group): Bar => {
      const { into, out } = sizes[level]![group]!
      const [own, taken] = [Math.max(into, out) * scale, rooms[level]![group]!]
      const value = flow.layers[level]?.groups[group]?.gives ?? flow.score
      const rest = level < flow.layers.length && group === order.length - 1
      const x = columns[level]!
      const arrival = level < flow.layers.length ? x - room.picture - 2 * MARGIN : x
      const bar = { node: [level, group] as const, arrival, x, y: top + (taken - own) / 2, height: own, top, room: taken, value, rest }
      top += taken + room.gap
      return bar
    })
  })
  return { bars, ...ports(flow, edges, bars, scale, room.bar), columns, height, scale }
}

/** The flow of the same groups after edits; nothing was taken away to measure it. */
export function edited(flow: Flow, after: EditedFlow): Flow {
  const { score, constant, edges, around, constants, imbalance } = after
  const layers = flow.layers.map((layer, level) => ({
    ...layer,
    rest: after.rest[level]!,
    groups: layer.groups.map((one, group) => ({ ...one, gives: after.gives[level]![group]! })),
  }))
  return { ...flow, score, constant, edges, around, constants, imbalance, layers }
}

export interface Shift {
  readonly node: Node
  readonly before: number
  readonly after: number
  /** After the same edits made elsewhere; null where none is measured. */
  readonly random: { readonly low: number; readonly high: number } | null
  /** All others are measured, and none comes to this. */
  readonly apart: boolean
}

/** What the groups of all layers give before and after, the largest changes first; beside `others`. */
export function shifts(before: Flow, after: Flow, others: FlowElsewhere | null = null): Shift[] {
  const all = others !== null && others.measured === others.draws
  return before.layers
    .flatMap(({ groups }, level) =>
      groups.map(({ gives }, group): Shift => {
        const then = after.layers[level]!.groups[group]!.gives
        const random = others?.random[level]?.[group] ?? null
        const apart = all && random !== null && (then < random.low || then > random.high)
        return { node: [level, group], before: gives, after: then, random, apart }
      }),
    )
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before))
}

/** The outline of a ribbon, or of a share of its width. */
export function outline({ x0, y0, x1, y1, width }: Ribbon, share = 1): string {
  const [middle, wide] = [(x0 + x1) / 2, width * share]
  return (
    `M${n(x0)} ${n(y0)}C${n(middle)} ${n(y0)} ${n(middle)} ${n(y1)} ${n(x1)} ${n(y1)}V${n(y1 + wide)}` +
    `C${n(middle)} ${n(y1 + wide)} ${n(middle)} ${n(y0 + wide)} ${n(x0)} ${n(y0 + wide)}Z`
  )
}

export interface Trace {
  /** For each layer, the share of each group; last that of the target. */
  readonly nodes: number[][]
  /** `edges[layer][later][group]`; last those to the target. */
  readonly edges: number[][][]
  /** The path along the largest flow at every step: a group of each layer. */
  readonly strongest: number[]
}

/** What belongs to one group: before it, of what runs out of a node, the share that reaches it; after it, of what runs
    into a node, the share that came through it. */
export function traced(flow: Flow, [layer, group]: Node): Trace {
  const edges = flow.edges.map(sizesIn)
  const nodes = flow.layers.map(({ groups }) => groups.map(() => 0))
  const shares = edges.map((edge) => edge.map((row) => row.map(() => 0)))
  nodes[layer]![group] = 1
  for (let at = layer; at < edges.length; at++)
    edges[at]!.forEach((row, later) => {
      shares[at]![later] = [...nodes[at]!]
      const into = sum(row) + Math.abs(flow.constants[at]![later]!)
      nodes[at + 1]![later] = sum(row.map((size, from) => size * nodes[at]![from]!)) / Math.max(into, 1e-30)
    })
  for (let at = layer - 1; at >= 0; at--)
    nodes[at]!.forEach((_, from) => {
      const column = edges[at]!.map((row) => row[from]!)
      const out = sum(column) + Math.abs(flow.around[at]![from]!)
      nodes[at]![from] = sum(column.map((size, later) => size * nodes[at + 1]![later]!)) / Math.max(out, 1e-30)
      column.forEach((_, later) => (shares[at]![later]![from] = nodes[at + 1]![later]!))
    })
  const ends = flow.layers.at(-1)!.groups.map(({ gives }) => Math.abs(gives))
  const reached = sum(ends.map((size, from) => size * nodes.at(-1)![from]!)) / Math.max(sum(ends) + Math.abs(flow.constant), 1e-30)
  return { nodes: [...nodes, [reached]], edges: [...shares, [[...nodes.at(-1)!]]], strongest: path(edges, layer, group) }
}

/** Whether a ribbon lies on a trace's strongest path. */
export function onPath({ from, to }: Ribbon, { strongest }: Trace): boolean {
  return strongest[from[0]] === from[1] && (to[0] === strongest.length || strongest[to[0]] === to[1])
}

function path(edges: number[][][], layer: number, group: number): number[] {
  const found = [group]
  for (let at = layer; at < edges.length; at++) found.push(largest(edges[at]!.map((row) => row[found.at(-1)!]!)))
  for (let at = layer - 1; at >= 0; at--) found.unshift(largest(edges[at]![found[0]!]!))
  return found
}

/** The flows between neighbouring columns, those to the target last: [later][group]. */
function edgesOf(flow: Flow): number[][][] {
  return [...flow.edges, [flow.layers.at(-1)!.groups.map(({ gives }) => gives)]]
}

const sizesIn = (edge: readonly (readonly number[])[]): number[][] => edge.map((row) => row.map(Math.abs))

/** For each node, all that flows into it and out of it, by size. */
function sizesOf(flow: Flow, edges: number[][][]): { into: number; out: number }[][] {
  const constants = [...flow.constants, [flow.constant]]
  const last = edges.length
  return Array.from({ length: last + 1 }, (_, level) =>
    Array.from({ length: level < last ? edges[level]![0]!.length : 1 }, (_, group) => ({
      into: level ? sum(edges[level - 1]![group]!.map(Math.abs)) + Math.abs(constants[level - 1]![group]!) : 0,
      out: level < last ? sum(edges[level]!.map((row) => Math.abs(row[group]!))) + Math.abs(flow.around[level]?.[group] ?? 0) : 0,
    })),
  )
}

/** The groups of each column from the top: near to where what they give goes, the rest last. */
function ordered(flow: Flow, edges: number[][][]): number[][] {
  const orders: number[][] = [[0]]
  for (let level = flow.layers.length - 1; level >= 0; level--) {
    const above = orders[0]!
    const groups = flow.layers[level]!.groups.map((_, group) => group)
    const rest = groups.pop()!
    const height = groups.map((group) => {
      const sizes = above.map((later) => Math.abs(edges[level]![later]![group]!))
      return sum(sizes.map((size, at) => size * at)) / Math.max(sum(sizes), 1e-30)
    })
    const gives = (group: number): number => flow.layers[level]!.groups[group]!.gives
    groups.sort((a, b) => height[a]! - height[b]! || gives(b) - gives(a))
    orders.unshift([...groups, rest])
  }
  return orders
}

/** Ribbons leave and reach a bar in the order of their other ends; what has no other end comes last. */
function ports(flow: Flow, edges: number[][][], bars: Bar[], scale: number, wide: number): Pick<Diagram, 'ribbons' | 'stubs'> {
  const column = (level: number): Bar[] => bars.filter((bar) => bar.node[0] === level)
  const [leaving, reaching] = [new Map(bars.map((bar) => [bar, bar.y])), new Map(bars.map((bar) => [bar, bar.y]))]
  const take = (used: Map<Bar, number>, bar: Bar, width: number): number => {
    const y = used.get(bar)!
    used.set(bar, y + width)
    return y
  }
  const ribbons = edges.flatMap((edge, level) => {
    const [before, after] = [column(level), column(level + 1)]
    const starts = new Map(before.flatMap((from) => after.map((to) => [key(from, to), take(leaving, from, width(edge, from, to))])))
    return after.flatMap((to) =>
      before.map((from): Ribbon => ({
        from: from.node, to: to.node, value: value(edge, from, to), width: width(edge, from, to), x0: from.x + wide, x1: to.arrival,
        y0: starts.get(key(from, to))!, y1: take(reaching, to, width(edge, from, to)),
      })),
    )
  })
  const constants = [...flow.constants, [flow.constant]]
  const stubs = bars.flatMap((bar) => {
    const [level, group] = bar.node
    const around = flow.around[level]?.[group] ?? 0
    const constant = level ? (constants[level - 1]?.[group] ?? 0) : 0
    const stub = (side: 'in' | 'out', value: number, used: Map<Bar, number>): Stub => {
      const width = Math.abs(value) * scale
      return { node: bar.node, side, value, width, x: side === 'in' ? bar.arrival : bar.x + wide, y: take(used, bar, width) }
    }
    return [...(constant ? [stub('in', constant, reaching)] : []), ...(around ? [stub('out', around, leaving)] : [])]
  })
  return { ribbons, stubs }

  function value(edge: number[][], from: Bar, to: Bar): number {
    return edge[to.node[1]]![from.node[1]]!
  }
  function width(edge: number[][], from: Bar, to: Bar): number {
    return Math.abs(value(edge, from, to)) * scale
  }
  function key(from: Bar, to: Bar): string {
    return `${from.node[1]}-${to.node[1]}`
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const largest = (values: readonly number[]): number => values.indexOf(Math.max(...values))
const n = (value: number): string => value.toFixed(2)
