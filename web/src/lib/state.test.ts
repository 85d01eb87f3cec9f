/** The shared state: what it asks of the server, when, and what it writes into the URL. */
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { Gone, Refusal, type Api, type Listener } from './api'
import { Microscope } from './state.svelte'
import type { Dictionary, Drawing, Layer, Model, Photo } from './types'

const layer = (name: string, side: number | null): Layer => ({
  name, kind: 'X', axes: [], channels: 9, height: side, width: side, stride: 1, receptive_field: 5, parameters: 0,
  activation: true, spatial: side !== null,
})
const model: Model = {
  name: 'toy', fingerprint: 'f', parameters: 1, label_count: 2, input_height: 8, input_width: 8,
  layers: [layer('early', 4), layer('late', 2), layer('logits', null)], default_layer: 'late', grid_layers: ['early', 'late'], version: '0',
  unique: 0, neurons: 0, recording: null, record_command: '',
}
const photo = (id: string): Photo => ({
  id, name: id, width: 8, height: 8, canvas_url: `/${id}`, thumbnail_url: `/${id}/small`, uploaded: false, predictions: [],
})
const dictionaryOf = (name: string): Dictionary => {
  const side = name === 'early' ? 4 : 2
  const places = side * side
  return {
    layer: name, height: side, width: side, count: 1, peak: places,
    channels: Array.from({ length: places }, (_, i) => i),
    magnitudes: Array.from({ length: places }, (_, i) => i + 1),
    norms: Array.from({ length: places }, (_, i) => i + 1),
  }
}
const nothing = {
  picture_url: null, guess_url: null, response: null, peak: null, photographs_peak: null, steps: null, seconds: null,
  note: '',
}
const drawing = (address: string, state: string): Drawing => ({ ...nothing, address, state })

function toy() {
  const listeners = new Map<string, Listener>()
  let jobs = 0
  const api = {
    model: vi.fn(async () => model),
    images: vi.fn(async () => [photo('cat'), photo('cup')]),
    upload: vi.fn(async (_: Blob, name: string) => photo(name)),
    dictionary: vi.fn(async (_: string, name: string) => dictionaryOf(name)),
    effects: vi.fn(async () => []),
    draw: vi.fn(async (addresses: string[]) => ({
      job: `job${++jobs}` as string | null,
      drawings: addresses.map((each) => drawing(each, 'queued')),
    })),
    cancel: vi.fn(async () => {}),
    listen: vi.fn((job: string, listener: Listener) => {
      listeners.set(job, listener)
      return () => void listeners.delete(job)
    }),
    record: vi.fn(async () => ({})),
    unit: vi.fn(async () => ({ job: 'job' })),
    study: vi.fn(async () => ({ job: 'job' })),
    labels: vi.fn(async () => ['ant', 'bee, honey bee']),
    guess: () => '',
    face: () => '',
    faces: vi.fn(async () => ({ job: null, drawings: [] })),
    sheet: vi.fn(async () => {
      throw new Gone()
    }),
    search: vi.fn(async () => ({ hits: [], note: '' })),
    standing: vi.fn(),
    measureStanding: vi.fn(),
  } satisfies Api
  const history: string[] = []
  let at = '/'
  const navigation = {
    read: () => {
      const url = new URL(at, 'http://localhost')
      return { path: url.pathname, query: url.search }
    },
    write: (url: string, how: string) => {
      at = url
      history.push(`${how} ${url}`)
    },
  }
  const travelTo = (url: string): void => void (at = url)
  return { api, listeners, history, travelTo, microscope: new Microscope(api, navigation) }
}

beforeEach(() => {
  vi.useFakeTimers()
  return () => vi.useRealTimers()
})
const wait = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)

describe('opening', () => {
  it('shows the first photograph, the default layer and the place that fires most, and leaves the URL alone', async () => {
    const { microscope, history } = toy()
    await microscope.open()
    expect(microscope.photo?.id).toBe('cat')
    expect(microscope.layer?.name).toBe('late')
    expect(microscope.place).toEqual({ row: 1, column: 1 })
    expect(microscope.entries.map((entry) => entry.address)).toEqual(['late:3'])
    expect(history).toEqual([])
  })

  it('shows what the URL names', async () => {
    const { microscope, travelTo } = toy()
    travelTo('/image/cup?layer=early&at=3,1')
    await microscope.open()
    expect(microscope.photo?.id).toBe('cup')
    expect(microscope.layer?.name).toBe('early')
    expect(microscope.pinned).toEqual({ row: 3, column: 1 })
  })

  it('says so where the URL names what is not here', async () => {
    const { microscope, travelTo } = toy()
    travelTo('/image/dog?layer=middle&at=9,9')
    await microscope.open()
    expect(microscope.strays).toEqual([
      'The photograph of this address is not here any more: this is another one.',
      'There is no layer middle in this model: this is late.',
    ])
    expect(microscope.pinned).toBeNull()
  })

  it('waits for a server that is not there yet', async () => {
    const { microscope, api } = toy()
    api.model.mockRejectedValueOnce(new Gone())
    await microscope.open()
    expect(microscope.gone).toBe(true)
    await wait(2100)
    expect(microscope.gone).toBe(false)
    expect(microscope.model?.name).toBe('toy')
  })

  it('waits for a model that is being opened', async () => {
    const { microscope, api } = toy()
    api.model.mockRejectedValueOnce(new Refusal(503, { request: 'x', reason: 'opening', choices: [], next_step: '' }))
    await microscope.open()
    expect([microscope.opening, microscope.gone]).toEqual([true, false])
    await wait(600)
    expect(microscope.opening).toBe(false)
  })
})

describe('what all figures share', () => {
  it('marks the point under the pointer, and the middle of the place where that is chosen otherwise', async () => {
    const { microscope } = toy()
    await microscope.open()
    expect(microscope.spot).toEqual({ x: 0.75, y: 0.75 })
    microscope.pointAt({ x: 0.6, y: 0.1 })
    expect(microscope.place).toEqual({ row: 0, column: 1 })
    expect(microscope.spot).toEqual({ x: 0.6, y: 0.1 })
    microscope.point({ row: 1, column: 0 })
    expect(microscope.spot).toEqual({ x: 0.25, y: 0.75 })
    microscope.pointAt(null)
    expect(microscope.spot).toEqual({ x: 0.75, y: 0.75 })
  })

  it('asks about a label, alone or rather than another', async () => {
    const { microscope, history } = toy()
    await microscope.open()
    expect(microscope.of).toBeNull()
    microscope.askAbout(1, 0)
    expect([microscope.of, microscope.view.rather]).toEqual([1, 0])
    microscope.askAbout(1, 1)
    expect(microscope.view.rather).toBeNull()
    expect(history).toEqual(['push /?of=1&rather=0', 'push /?of=1'])
  })
})

describe('moving', () => {
  it('changes the place at once, without asking for the dictionary again and without touching the URL', async () => {
    const { microscope, api, history } = toy()
    await microscope.open()
    microscope.point({ row: 0, column: 1 })
    expect(microscope.entries.map((entry) => entry.address)).toEqual(['late:1'])
    expect(api.dictionary).toHaveBeenCalledTimes(1)
    expect(history).toEqual([])
  })

  it('pins into the URL, holds the place, and lets go where it was', async () => {
    const { microscope, history } = toy()
    await microscope.open()
    microscope.pin({ row: 0, column: 1 })
    microscope.point({ row: 1, column: 0 })
    expect(microscope.place).toEqual({ row: 0, column: 1 })
    microscope.pin(null)
    expect(microscope.place).toEqual({ row: 0, column: 1 })
    expect(history).toEqual(['push /?at=0,1', 'push /'])
  })

  it('carries the place to another layer', async () => {
    const { microscope, history } = toy()
    await microscope.open()
    microscope.pin({ row: 1, column: 0 })
    microscope.chooseLayer('early')
    await wait(0)
    expect(history.at(-1)).toBe('push /?layer=early&at=3,1')
    expect(microscope.entries.map((entry) => entry.address)).toEqual(['early:13'])
  })

  it('cannot choose a layer without places', async () => {
    const { microscope, history } = toy()
    await microscope.open()
    microscope.chooseLayer('logits')
    expect(history).toEqual([])
  })

  it('goes back where the browser goes back', async () => {
    const { microscope, travelTo } = toy()
    await microscope.open()
    microscope.showImage('cup')
    await wait(0)
    expect(microscope.photo?.id).toBe('cup')
    travelTo('/')
    microscope.travel()
    expect(microscope.photo?.id).toBe('cat')
  })

  it('lights where a unit is among the strongest', async () => {
    const { microscope } = toy()
    await microscope.open()
    microscope.unit = 2
    expect([...microscope.unitMap!]).toEqual([0, 0, 3, 0])
  })
})

describe('drawing', () => {
  it('asks once the reader rests, and cancels the former job after the new one is taken', async () => {
    const { microscope, api } = toy()
    await microscope.open()
    await wait(0)
    expect(api.draw).toHaveBeenCalledTimes(1)
    microscope.point({ row: 0, column: 0 })
    await wait(100)
    microscope.point({ row: 0, column: 1 })
    await wait(200)
    expect(api.draw).toHaveBeenCalledTimes(1)
    await wait(100)
    expect(api.draw.mock.calls.map((call) => call[0])).toEqual([['late:3'], ['late:1']])
    expect(api.cancel.mock.calls).toEqual([['job1']])
    expect(api.cancel.mock.invocationCallOrder[0]!).toBeGreaterThan(api.draw.mock.invocationCallOrder[1]!)
  })

  it('draws for several figures, what was asked for last first, until each lets go', async () => {
    const { api, microscope } = toy()
    microscope.sketches.want(['a:1', 'a:2'], true)
    microscope.sketches.want(['a#f.0', 'a:2'], true, 'groups')
    await wait(0)
    expect(api.draw.mock.lastCall).toEqual([['a#f.0', 'a:2', 'a:1']])
    microscope.sketches.want([], true, 'groups')
    microscope.sketches.want(['a:3'], true)
    await wait(0)
    expect(api.draw.mock.lastCall).toEqual([['a:3']])
    microscope.sketches.stop()
  })

  it('sharpens, finishes, and never asks for a finished picture again', async () => {
    const { microscope, api, listeners } = toy()
    await microscope.open()
    await wait(0)
    const heard = listeners.get('job1')!
    heard.progress({ address: 'late:3', step: 4, steps: 8, image: 'data:,', response: 1, seconds_left: 2 })
    expect(microscope.sketches.known.get('late:3')).toMatchObject({ state: 'drawing', progress: { step: 4 } })
    heard.finished({ drawing: { ...drawing('late:3', 'ready'), picture_url: '/p.png' } })
    heard.end({ cancelled: false })
    expect(microscope.sketches.known.get('late:3')).toMatchObject({ state: 'ready', progress: null })
    microscope.point({ row: 0, column: 1 })
    await wait(300)
    microscope.point({ row: 1, column: 1 })
    await wait(300)
    expect(api.draw.mock.calls.map((call) => call[0])).toEqual([['late:3'], ['late:1']])
    expect(api.cancel.mock.calls).toEqual([['job2']])
  })

  it('asks again where the stream broke off', async () => {
    const { microscope, api, listeners } = toy()
    await microscope.open()
    await wait(0)
    listeners.get('job1')!.lost()
    await wait(1000)
    expect(api.draw).toHaveBeenCalledTimes(2)
  })

  it('does not ask for ever', async () => {
    const { microscope, api, listeners } = toy()
    await microscope.open()
    for (let i = 1; i < 12; i++) {
      await wait(60_000)
      listeners.get(`job${i}`)?.lost()
    }
    expect(api.draw.mock.calls.length).toBeLessThan(7)
  })

  it('goes on when the server is back', async () => {
    const { microscope, api } = toy()
    api.draw.mockRejectedValueOnce(new Gone())
    await microscope.open()
    await wait(0)
    expect(microscope.gone).toBe(true)
    await wait(2100)
    expect(microscope.gone).toBe(false)
    expect(microscope.sketches.known.get('late:3')?.state).toBe('queued')
  })

  it('keeps the reason of a failure', async () => {
    const { microscope, listeners } = toy()
    await microscope.open()
    await wait(0)
    listeners.get('job1')!.finished({ drawing: { ...drawing('late:3', 'failed'), note: 'dead unit' } })
    expect(microscope.sketches.known.get('late:3')).toMatchObject({ state: 'failed', drawing: { note: 'dead unit' } })
  })
})

describe('uploading', () => {
  it('shows the new photograph', async () => {
    const { microscope, history } = toy()
    await microscope.open()
    await microscope.upload(new File(['x'], 'mine'))
    expect(microscope.photo?.id).toBe('mine')
    expect(history).toEqual(['push /image/mine'])
  })

  it('says in words what is wrong, and changes nothing', async () => {
    const { microscope, api, history } = toy()
    await microscope.open()
    const view = { request: 'notes.txt', reason: 'this is no picture', choices: ['PNG', 'WebP'], next_step: 'choose a JPEG' }
    api.upload.mockRejectedValueOnce(new Refusal(400, view))
    await microscope.upload(new File(['x'], 'notes.txt'))
    expect(microscope.uploadTrouble).toBe('notes.txt: this is no picture. Choose a JPEG (PNG, WebP).')
    expect(history).toEqual([])
  })
})
