/** What is taken away: Python that fits the figure, rows that say what the answer says, words inside a PNG. */
import { describe, expect, it } from 'vitest'

import { crc, withWords } from './png'
import { RECIPES, type Stand } from './recipes'
import { csv, rowsAt, TABLES } from './tables'
import { fileName, foot, frameOf, type Made } from './taking'
import { wrapped } from './vector'

const cat: Stand = { model: 'efficientnet-lite0', photo: { name: 'cat', uploaded: false }, layer: 'blocks.4.1.bn2.act', place: { row: 5, column: 7 }, of: 281 }

describe('the Python of a figure', () => {
  it('reads well', () =>
    expect(RECIPES.groups!({ ...cat, count: 8 })).toBe(
      `import hooke
from hooke.studies.registry import Asked, silent, study

model = hooke.open("efficientnet-lite0")
canvas = model.modality.canvas(dict(hooke.photographs())["cat"])
asked = Asked(layers=("blocks.4.1.bn2.act",), count=8)
report = study("groups").report(model, canvas, asked, silent)
print(report.facts)
for name, figure in report.figures.items():
    figure.savefig(f"{name}.png")
`,
    ))

  it('asks for what the figure asks', () => {
    expect(RECIPES.semantic_dictionary!(cat)).toContain('Asked(layers=("blocks.4.1.bn2.act",), position=(5, 7))')
    expect(RECIPES.channel_attribution!({ ...cat, rather: 285 })).toContain('Asked(of=("logits:281", "logits:285"))')
    expect(RECIPES.flow!({ ...cat, rather: 285, layers: ['a', 'b'], count: 6 })).toContain(
      'Asked(layers=("a", "b"), of=("logits:281 - logits:285",), count=6)',
    )
    expect(RECIPES.how_sure!({ ...cat, selections: ['a@5,7', 'a:3@5,7'] })).toContain('of=("logits:281", "a@5,7", "a:3@5,7")')
    expect(RECIPES.patch!({ ...cat, inside: '0,10,30,100' })).toContain('(0, 0.1, 0.3, 1)')
  })

  it('opens both of two models', () => {
    const text = RECIPES.changes!({ ...cat, second: 'Sequential' })
    expect(text).toContain('first = hooke.open("efficientnet-lite0")\nsecond = hooke.open(your_other_module)\n')
    expect(text).toContain('changes(first, second, canvases, "blocks.4.1.bn2.act")\nat = (5, 7)\n')
  })

  it('reads a photograph of the reader, and takes their own module', () => {
    const own = RECIPES.alike!({ ...cat, model: 'Sequential' })
    expect(own).toContain('hooke.open(your_module)')
    for (const photo of [{ name: 'cat', uploaded: true }, { name: 'holiday', uploaded: false }, null])
      expect(RECIPES.groups!({ ...cat, photo })).toContain('canvas(hooke.read_picture("your-photograph.png"))')
  })

  it('makes edits, edges and transplants, and the groups that they name', () => {
    const text = RECIPES.what_if!({
      ...cat,
      edits: ['ablate(`a b`:3@5,7)', 'scale(a:1 -> b:2, 0.5)', 'patch(a@1,2, "c7ff@3,4")', 'ablate(a#k.0)'],
      photos: { c7ff: { name: 'coffee', uploaded: false } },
    })
    expect(text).toContain('edits += hooke.edits.parse("ablate(`a b`:3@5,7)")')
    expect(text).toContain('edits += [Felt(hooke.edits.parse("scale(a:1, 0.5)")[0], model.resolve("b:2"))]')
    expect(text).toContain('other = model.modality.canvas(dict(hooke.photographs())["coffee"])')
    expect(text).toContain('edits += [Transplant(place, held, (3, 4))]')
    expect(text).toContain('next(group_study(model, canvas, "blocks.4.1.bn2.act", 6))')
  })

  it('writes texts as Python does', () => expect(RECIPES.units!({ model: 'a:b', layer: 'odd "name"\\' })).toContain('"odd \\"name\\"\\\\"'))
})

describe('tables', () => {
  it('lie at the end of a path, with what stands above', () => {
    const answer = { layers: [{ name: 'a', up: [{ channel: 1, parts: [1, 2] }], down: [{ channel: 2, parts: [] }], map: { data: 'x' } }] }
    expect(rowsAt(answer, 'layers.up|down')).toEqual([
      { 'layers.name': 'a', 'layers.map.data': 'x', of: 'up', channel: 1, 'parts.0': 1, 'parts.1': 2 },
      { 'layers.name': 'a', 'layers.map.data': 'x', of: 'down', channel: 2 },
    ])
  })

  it('are written as RFC 4180 says', () =>
    expect(csv([{ a: 1, b: 'x, "y"' }, { a: null, c: 'z' }])).toBe('a,b,c\r\n1,"x, ""y""",\r\n,,z\r\n'))

  it('tell a dictionary place by place', () => {
    const dictionary = { layer: 'a', height: 1, width: 2, count: 2, channels: [3, 4, 5, 6], magnitudes: [4, 3, 2, 1], peak: 4, norms: [5, 2] }
    expect(TABLES.semantic_dictionary!(dictionary as never)[2]).toEqual({ row: 0, column: 1, rank: 0, channel: 5, magnitude: 2 })
  })

  it('tell where which unit changed', () => {
    const found = { layer: 'a', height: 1, width: 2, count: 1, channels: [3, 4], first: [1, 2], second: [5, 6], median: [0, 0], far: [1, 1] }
    expect(TABLES.changes!(found as never)[1]).toEqual({ row: 0, column: 1, rank: 0, channel: 4, first: 2, second: 6 })
  })

  it('tell what flows between groups, and from the last to the label', () => {
    const group = (index: number) => ({ group: { index }, gives: index, measured: 2 * index })
    const rest = { group: null, gives: 9, measured: 8 }
    const flow = { of: 'logits:1', layers: [{ layer: 'a', groups: [group(0), rest] }, { layer: 'b', groups: [group(1), rest] }], edges: [[[1, 2], [3, 4]]] }
    expect(TABLES.flow!(flow as never)).toEqual([
      { from: 'a', group: 0, to: 'b', to_group: 1, flow: 1, measured: null },
      { from: 'a', group: null, to: 'b', to_group: 1, flow: 2, measured: null },
      { from: 'a', group: 0, to: 'b', to_group: null, flow: 3, measured: null },
      { from: 'a', group: null, to: 'b', to_group: null, flow: 4, measured: null },
      { from: 'b', group: 1, to: 'logits:1', to_group: null, flow: 1, measured: 2 },
      { from: 'b', group: null, to: 'logits:1', to_group: null, flow: 9, measured: 8 },
    ])
  })
})

describe('files', () => {
  const made: Made = { study: 'groups', title: 'Groups', model: 'efficientnet-lite0', fingerprint: '0123456789abcdef', image: { id: '1', name: 'my "Cat".png' }, view: '/image/1', hooke: '0.1.0' }

  it('have names that every file system takes', () => {
    expect(fileName(made, 'svg')).toBe('hooke-groups-my-cat-.png-efficientnet-lite0.svg')
    expect(fileName({ ...made, image: null, view: '/unit/a%20b/3?view=density' }, 'csv')).toBe('hooke-groups-a-20b-3-efficientnet-lite0.csv')
  })

  it('say where they are from', () => {
    expect(foot(made)).toBe('Groups · efficientnet-lite0 (0123456789ab) · my "Cat".png · /image/1 · Hooke 0.1.0')
    expect(wrapped('a bb ccc', 4, (text) => text.length)).toEqual(['a bb', 'ccc'])
  })

  it('stand in a frame whose words are no HTML', () =>
    expect(frameOf('http://localhost/?view=a&embed=1', made, 300)).toBe(
      '<iframe src="http://localhost/?view=a&amp;embed=1" title="Groups, my &quot;Cat&quot;.png, efficientnet-lite0" width="100%" height="300" style="border: 0" loading="lazy"></iframe>',
    ))

  it('hold words inside a PNG, with the check sum of the standard', () => {
    expect(crc(new TextEncoder().encode('IEND'))).toBe(0xae426082)
    const png = new Uint8Array(8 + 25 + 12)
    const with_ = withWords(png, 'hooke', 'é')
    expect(with_.length).toBe(png.length + 12 + 'hooke'.length + 5 + 2)
    expect(new TextDecoder().decode(with_.subarray(33 + 4, 33 + 4 + 9))).toBe('iTXthooke')
  })
})
