/** The flow's diagram: widths add up, nodes keep apart; a trace has the shares that the study finds. */
import { describe, expect, it } from 'vitest'

import { diagram, edited, onPath, outline, shifts, traced, type Node } from './flow'
import type { EditedFlow, Flow, FlowElsewhere, FlowLayer } from './types'

const layer = (name: string, gives: number[]): FlowLayer => ({
  layer: name, height: 1, width: 1, peak: 1, explained: 1, rest: 0, agreement: null,
  groups: gives.map((value) => ({ group: null, gives: value, measured: value })),
})
/** The flow whose traces tests/studies/test_tracing.py knows by hand. */
const known: Flow = {
  of: 'logits:1', score: 9, constant: 0, imbalance: 0, edge_agreement: [null, null],
  layers: [layer('one', [3, 5]), layer('two', [4, 4]), layer('three', [1, 8])],
  edges: [[[3, 1], [0, 4]], [[2, -2], [2, 6]]],
  around: [[0, 0], [0, 0]], constants: [[0, 0], [1, 0]],
}

/** A flow of any size that is balanced at every node, from a fixed sequence. */
function random(sizes: number[]): Flow {
  let seed = 7
  const draw = (): number => ((seed = (seed * 16807) % 2147483647) / 2147483647) * 2 - 0.8
  const edges = sizes.slice(1).map((later, at) => Array.from({ length: later }, () => Array.from({ length: sizes[at]! }, draw)))
  const nodes = sizes.map((size) => Array.from({ length: size }, () => 3 * draw()))
  const around = edges.map((edge, at) => nodes[at]!.map((node, group) => node - edge.reduce((total, row) => total + row[group]!, 0)))
  const constants = edges.map((edge, at) => nodes[at + 1]!.map((node, later) => node - edge[later]!.reduce((a, b) => a + b, 0)))
  const constant = 0.7
  const score = constant + nodes.at(-1)!.reduce((a, b) => a + b, 0)
  return {
    of: 'logits:0', score, constant, imbalance: 0, edge_agreement: edges.map(() => null),
    layers: nodes.map((gives, at) => layer(`l${at}`, gives)), edges, around, constants,
  }
}

const room = { width: 900, bars: 300, picture: 44, bar: 8, gap: 10, right: 80 }

describe.each([
  ['two', random([3, 4])], ['three', random([7, 7, 7])], ['five', random([13, 11, 13, 4, 13])], ['known', known],
])('the diagram of %s layers', (_, flow) => {
  const { bars, ribbons, stubs, scale, height, columns } = diagram(flow, room)

  it('gives each node the widths of all that flows in and out', () => {
    for (const bar of bars) {
      const sides = (['in', 'out'] as const).map((side) => {
        const own = ribbons.filter(({ from, to }) => same(side === 'in' ? to : from, bar.node))
        const more = stubs.filter((stub) => stub.side === side && same(stub.node, bar.node))
        return {
          width: [...own, ...more].reduce((total, each) => total + each.width, 0),
          value: [...own, ...more].reduce((total, each) => total + each.value, 0),
          spans: [...own.map((each) => [side === 'in' ? each.y1 : each.y0, each.width]), ...more.map((each) => [each.y, each.width])],
        }
      })
      const last = bar.node[0] === flow.layers.length
      for (const [at, { width, value, spans }] of sides.entries()) {
        if ((at === 0 && bar.node[0] === 0) || (at === 1 && last)) continue
        expect(width).toBeLessThanOrEqual(bar.height + 1e-6)
        expect(value).toBeCloseTo(bar.value, 6)
        let y = bar.y
        for (const [top, wide] of spans.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!)) {
          expect(top!).toBeCloseTo(y, 6)
          y += wide!
        }
      }
      expect(Math.max(...sides.map(({ width }) => width))).toBeCloseTo(bar.height, 6)
    }
    for (const ribbon of ribbons) expect(ribbon.width).toBeCloseTo(Math.abs(ribbon.value) * scale, 9)
  })

  it('keeps nodes apart, inside, and the rest at the foot', () => {
    for (let level = 0; level <= flow.layers.length; level++) {
      const column = bars.filter((bar) => bar.node[0] === level)
      column.forEach((bar, at) => {
        expect(bar.x).toBe(columns[level])
        expect(bar.y).toBeGreaterThanOrEqual(bar.top - 1e-9)
        expect(bar.y + bar.height).toBeLessThanOrEqual(bar.top + bar.room + 1e-9)
        if (at) expect(bar.top).toBeGreaterThanOrEqual(column[at - 1]!.top + column[at - 1]!.room + room.gap - 1e-9)
        expect(bar.rest).toBe(level < flow.layers.length && at === column.length - 1)
      })
      expect(column.at(-1)!.top + column.at(-1)!.room).toBeLessThanOrEqual(height + 1e-9)
    }
    expect(columns.at(-1)! + room.bar + room.right).toBeCloseTo(room.width, 6)
    const most = Math.max(...columns.map((_, level) => bars.filter((bar) => bar.node[0] === level).reduce((total, bar) => total + bar.height, 0)))
    expect(most).toBeCloseTo(room.bars, 6)
  })
})

describe('a trace', () => {
  it('has the shares of the study, up and down', () => {
    const found = traced(known, [1, 0])
    expect(found.nodes).toEqual([[1, 0.2], [1, 0], [2 / 5, 2 / 8], [(1 * 0.4 + 8 * 0.25) / 9]])
    expect(found.edges).toEqual([[[1, 1], [0, 0]], [[1, 0], [1, 0]], [[0.4, 0.25]]])
    expect(found.strongest.slice(0, 2)).toEqual([0, 0])
  })

  it('goes on through several layers', () => {
    const found = traced(known, [0, 1])
    expect(found.nodes[1]).toEqual([1 / 4, 1])
    expect(found.edges[1]).toEqual([[1 / 4, 1], [1 / 4, 1]])
    expect(found.nodes[2]).toEqual([(2 / 4 + 2) / 5, (2 / 4 + 6) / 8])
    expect(found.strongest).toEqual([1, 1, 1])
  })

  it('knows its strongest path', () => {
    const trace = traced(known, [0, 1])
    const along = diagram(known, room).ribbons.filter((ribbon) => onPath(ribbon, trace))
    expect(along.map(({ from, to }) => [from, to])).toEqual([[[0, 1], [1, 1]], [[1, 1], [2, 1]], [[2, 1], [3, 0]]])
  })
})

it('outlines a ribbon and a share of it', () => {
  const ribbon = { from: [0, 0] as Node, to: [1, 0] as Node, value: 1, width: 10, x0: 0, y0: 0, x1: 100, y1: 20 }
  expect(outline(ribbon)).toBe('M0.00 0.00C50.00 0.00 50.00 20.00 100.00 20.00V30.00C50.00 30.00 50.00 10.00 0.00 10.00Z')
  expect(outline(ribbon, 0.5)).toContain('V25.00')
})

describe('the flow after edits', () => {
  const after: EditedFlow = {
    score: 4, constant: 1, imbalance: 0, seconds: 1, rest: [0.5, 1, 0.25],
    gives: [[1, 2], [0, 3], [1, 2]], edges: [[[1, 0], [0, 2]], [[0, 1], [0, 2]]], around: [[0, 0], [0, 0]], constants: [[-1, 1], [0, 0]],
  }
  const now = edited(known, after)

  it('has the same groups with other numbers', () => {
    expect(now.layers.map(({ layer, rest, groups }) => [layer, rest, groups.map(({ gives }) => gives)])).toEqual([
      ['one', 0.5, [1, 2]], ['two', 1, [0, 3]], ['three', 0.25, [1, 2]],
    ])
    expect(now.score).toBe(4)
    expect(known.score).toBe(9)
  })

  it('stands where the flow before stands, as wide for as much', () => {
    const [one, other] = [diagram(known, room, now), diagram(now, room, known, known)]
    expect(other.scale).toBe(one.scale)
    expect(other.height).toBe(one.height)
    expect(other.bars.map(({ node, x, top, room }) => [node, x, top, room])).toEqual(
      one.bars.map(({ node, x, top, room }) => [node, x, top, room]),
    )
    expect(other.scale * 9).toBeLessThanOrEqual(room.bars)
    for (const ribbon of other.ribbons) expect(ribbon.width).toBeCloseTo(Math.abs(ribbon.value) * one.scale, 9)
  })

  it('names the largest changes first', () => {
    expect(shifts(known, now).slice(0, 3)).toEqual([
      { node: [2, 1], before: 8, after: 2, random: null, apart: false },
      { node: [1, 0], before: 4, after: 0, random: null, apart: false },
      { node: [0, 1], before: 5, after: 2, random: null, apart: false },
    ])
    const [inside, outside] = [{ mean: 2, low: 1, high: 3 }, { mean: 4, low: 3, high: 5 }]
    const others: FlowElsewhere = {
      random: [[inside, inside], [outside, null], [outside, inside]], measured: 20, draws: 20, beside: 'other units', seconds: 1,
    }
    const [one, two, three] = shifts(known, now, others)
    expect([one!.apart, two!.apart, three!.apart]).toEqual([false, true, false])
    expect(two!.random).toEqual(outside)
    expect(shifts(known, now, { ...others, measured: 4 })[1]!.apart).toBe(false)
  })
})

const same = (a: Node, b: Node): boolean => a[0] === b[0] && a[1] === b[1]
