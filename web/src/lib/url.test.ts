/** A view survives being written as a URL and read again. */
import { describe, expect, it } from 'vitest'

import { format, layerView, parse, same, start, unitView, type View } from './url'

const read = (url: string): View => {
  const at = new URL(url, 'http://localhost')
  return parse(at.pathname, at.search)
}

describe('the URL', () => {
  const views: View[] = [
    start,
    { ...start, image: 'c72f727e513161ee' },
    { ...start, image: 'cat', layer: 'blocks.4.1.bn2.act', place: { row: 5, column: 7 } },
    { ...start, image: 'a/b ?&#%', layer: 'odd name&at=1,1', place: { row: 0, column: 0 } },
    { ...start, layer: '`Mixed 4d`[0.out]~2' },
    { ...start, image: 'cat', of: 281, rather: 287 },
    { ...start, figure: 'flow' },
    { ...start, image: 'cat', figure: 'activation_grid', scaled: true, zoom: 2 },
    { ...start, image: 'cat', layer: 'blocks.4.1.bn2.act', figure: 'spatial_attribution', place: { row: 5, column: 7 } },
    { ...start, layer: 'odd/layer', figure: 'alike' },
    { ...start, patch: { left: 0, top: 10, right: 30, bottom: 100 }, without: { left: 1, top: 2, right: 3, bottom: 4 } },
    { ...start, image: 'cat', groups: 8, group: 0, depth: 4, flow: 10, trace: [1, 3] },
    { ...start, image: 'cat', drill: { layer: '`Mixed 4d`[0.out]~2', channel: 12 } },
    { ...start, edits: ['ablate(`a & b`:3@4,6)', 'patch(a@0,0, "c7ff@1,2")', 'steer(a, 2*a:3 + b:1, 1.5)'] },
    unitView('blocks.4.1.bn2.act', 37),
    unitView('odd/name ?&#', 0),
    layerView('`Mixed 4d`[0.out]~2'),
    { ...layerView('bn2.act'), sort: '-norm', find: 'cat & dog' },
    { ...start, image: 'cat', figure: 'groups', embed: true },
    { ...unitView('odd/name ?&#', 0), figure: 'density', embed: true },
    { ...layerView('bn2.act'), figure: 'units', embed: true },
    { ...layerView('bn2.act'), figure: 'families' },
    { ...layerView('bn2.act'), figure: 'atlas', sort: '-norm' },
    { ...layerView('bn2.act'), figure: 'atlas', atlas: 'recorded' },
    { ...start, image: 'cat', layer: 'bn2.act', place: { row: 1, column: 2 }, beside: true },
    { ...unitView('bn2.act', 3), beside: true },
    { ...layerView('bn2.act'), sort: '-norm', beside: true },
  ]
  it.each(views)('gives back %o', (view) => expect(read(format(view))).toEqual(view))

  it('reads well', () => {
    const view = { ...start, image: 'cat', layer: 'blocks.4.1.bn2.act', place: { row: 5, column: 7 } }
    expect(format(view)).toBe('/image/cat?layer=blocks.4.1.bn2.act&at=5,7')
    expect(format(start)).toBe('/')
    expect(format({ ...view, figure: 'spatial_attribution' })).toBe(
      '/image/cat?view=blocks.4.1.bn2.act/spatial/attribution/map&at=5,7',
    )
    expect(format({ ...start, figure: 'what_if' })).toBe('/?view=whole/intervention/table')
    expect(format(unitView('blocks.4.1.bn2.act', 37))).toBe('/unit/blocks.4.1.bn2.act/37')
    expect(format({ ...layerView('bn2.act'), sort: '-norm' })).toBe('/layer/bn2.act?sort=-norm')
  })

  it.each(['/image/cat?at=5', '/image/cat?at=-1,2', '/image/cat?at=a,b', '/image/cat?at=1,2,3', '/image/cat?layer='])(
    'leaves out what makes no sense in %s',
    (url) => expect(read(url)).toEqual({ ...start, image: 'cat' }),
  )

  it('knows no other part of the evidence', () => expect(read('/unit/a/1?view=nonsense').figure).toBeNull())

  it('knows no other grammar', () => expect(read('/?view=layer/whole/nonsense/table').figure).toBeNull())

  it('does not break on a damaged escape', () => expect(parse('/image/%E0%A4%A', '').image).toBeNull())

  it('knows equal views', () => {
    expect(same(start, { ...start })).toBe(true)
    expect(same(start, { ...start, place: { row: 0, column: 0 } })).toBe(false)
  })
})
