/** The Python that makes each figure again: what is copied runs as it stands. */
import type { Place } from './types'

/** What a figure is about, as far as its Python needs it. */
export interface Stand {
  /** The model's name, as `hooke.open` takes it. */
  readonly model: string
  /** The name of the second model, where the figure is of two. */
  readonly second?: string | null
  readonly photo?: { readonly name: string; readonly uploaded: boolean } | null
  readonly layer?: string | null
  readonly place?: Place | null
  /** The layers that the figure goes through. */
  readonly layers?: readonly string[]
  /** The label that is asked about, and the one that it is rather than. */
  readonly of?: number | null
  readonly rather?: number | null
  /** How many units or groups. */
  readonly count?: number | null
  readonly edits?: readonly string[]
  /** Addresses that are judged, and those that stand for groups. */
  readonly selections?: readonly string[]
  /** Left, top, right, bottom, in percent. */
  readonly inside?: string | null
  readonly outside?: string | null
  /** The address of the unit, and of another layer beside it. */
  readonly unit?: string | null
  readonly other?: string | null
  /** A stimulus and the parameter that is swept. */
  readonly stimulus?: readonly [string, string] | null
  /** How an atlas was laid out: UMAP or Principal. */
  readonly layout?: string | null
  /** It is of what was recorded: how many inputs. */
  readonly inputs?: number | null
  /** Steps of what is drawn; left out: as many as usual. */
  readonly steps?: number | null
  /** The photographs of the page by their ids, for places that are transplanted. */
  readonly photos?: Readonly<Record<string, { readonly name: string; readonly uploaded: boolean }>>
}

/** The photographs that ship; any other is the reader's own file. */
export const SHIPPED = [
  'cat', 'coffee', 'rocket', 'astronaut', 'motorcycle', 'photographer', 'coins', 'bricks', 'grass', 'gravel', 'moon', 'galaxies',
]

const text = (value: string): string => JSON.stringify(value)
const tuple = (values: readonly string[]): string => `(${values.join(', ')}${values.length === 1 ? ',' : ''})`
const lines = (...some: readonly (string | null)[]): string => `${some.filter((each) => each !== null).join('\n')}\n`
const spot = ({ row, column }: Place): string => `(${row}, ${column})`

/** A model that was opened from a text is opened by it again; a module of the reader's own has no name to open it by. */
const opening = (model: string, own: string): string => `hooke.open(${/[-:]/.test(model) ? text(model) : own})`
const opened = ({ model }: Stand): string => `model = ${opening(model, 'your_module')}`

const picture = (photo: Stand['photo']): string =>
  photo && !photo.uploaded && SHIPPED.includes(photo.name)
    ? `dict(hooke.photographs())[${text(photo.name)}]`
    : 'hooke.read_picture("your-photograph.png")'

const seen = (stand: Stand): string => lines(opened(stand), `canvas = model.modality.canvas(${picture(stand.photo)})`).trimEnd()

/** Two models before one photograph, and a study of both. */
const both = (name: string, stand: Stand, ...rest: readonly (string | null)[]): string =>
  lines(
    'import hooke',
    `from hooke.studies.beside import ${name}`,
    '',
    `first = ${opening(stand.model, 'your_module')}`,
    `second = ${opening(stand.second ?? '', 'your_other_module')}`,
    `picture = ${picture(stand.photo)}`,
    'canvases = first.modality.canvas(picture), second.modality.canvas(picture)',
    ...rest,
  )

const target = ({ of, rather }: Stand): string | null =>
  of === null || of === undefined ? null : `logits:${of}${rather === null || rather === undefined ? '' : ` - logits:${rather}`}`

/** Addresses of groups mean something once the groups were made: by the same numbers, the same groups. */
function made({ layer, count }: Stand, addresses: readonly string[]): string | null {
  if (!layer || !addresses.some((one) => one.includes('#'))) return null
  return `next(group_study(model, canvas, ${text(layer)}, ${count ?? 6}))`
}

const wanted = (addresses: readonly string[]): string | null =>
  addresses.some((one) => one.includes('#')) ? 'from hooke.studies.groups import group_study' : null

/** A study by its name, carried out and written down. */
function study(name: string, stand: Stand, asked: Readonly<Record<string, string | null>>): string {
  const given = Object.entries(asked).flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`]))
  const some = stand.selections ?? []
  return lines(
    'import hooke',
    wanted(some),
    'from hooke.studies.registry import Asked, silent, study',
    '',
    seen(stand),
    made(stand, some),
    `asked = Asked(${given.join(', ')})`,
    `report = study(${text(name)}).report(model, canvas, asked, silent)`,
    'print(report.facts)',
    'for name, figure in report.figures.items():',
    '    figure.savefig(f"{name}.png")',
  )
}

const layersOf = (names: readonly string[] | undefined): string | null => (names?.length ? tuple(names.map(text)) : null)
const number = (value: number | null | undefined): string | null => (value === null || value === undefined ? null : String(value))

const EDGE = /^(ablate|scale)\((.+?) -> (.+?)((?:, .+)?)\)$/
const PATCH = /^patch\((.+), "([^"@]+)(?:@(\d+),(\d+))?"\)$/

/** One edit as an expression, and what must be there before it. */
function edited(edit: string, stand: Stand): { before: string[]; value: string } {
  const [, kind, source, end, rest] = EDGE.exec(edit) ?? []
  if (kind) return { before: [], value: `Felt(hooke.edits.parse(${text(`${kind}(${source}${rest ?? ''})`)})[0], model.resolve(${text(end!)}))` }
  const [, place, id, row, column] = PATCH.exec(edit) ?? []
  if (!place) return { before: [], value: `*hooke.edits.parse(${text(edit)})` }
  const at = row === undefined ? 'None' : `(${row}, ${column})`
  return {
    before: [
      `place = model.resolve(${text(place)})`,
      `other = model.modality.canvas(${picture(stand.photos?.[id!])})`,
      'held = hooke.activations(model, model.modality.normalize(other[None]), [place.layer])[place.layer]',
    ],
    value: `Transplant(place, held, ${at})`,
  }
}

function whatIf(stand: Stand): string {
  const edits = (stand.edits ?? []).map((one) => edited(one, stand))
  const needs = ['Felt', 'Transplant'].filter((name) => edits.some(({ value }) => value.startsWith(name)))
  const at = stand.layer && stand.place ? `, hooke.Place(${text(stand.layer)}, position=${spot(stand.place)})` : ''
  return lines(
    'import hooke',
    wanted(stand.edits ?? []),
    `from hooke.studies.what_if import ${[...needs, 'what_if'].join(', ')}`,
    '',
    seen(stand),
    made(stand, stand.edits ?? []),
    'edits = []',
    ...edits.flatMap(({ before, value }) => [...before, value.startsWith('*') ? `edits += ${value.slice(1)}` : `edits += [${value}]`]),
    `found = what_if(model, canvas, edits${at})`,
    'before, after = found.logits.before.softmax(0), found.logits.after.softmax(0)',
    'for label in before.topk(min(5, len(before))).indices.tolist():',
    '    print(f"{model.label(label)}: {before[label]:.1%} -> {after[label]:.1%}")',
  )
}

const drawn = ({ steps }: Stand): string => (number(steps) === null ? '' : `, by=hooke.Ascent(steps=${steps})`)
const recorded = 'recording = hooke.open_recording("your-recording")'
const unitOf = ({ unit }: Stand): string => text(unit ?? '')

/** What each figure is made by, by its name. */
export const RECIPES: Readonly<Record<string, (stand: Stand) => string>> = {
  semantic_dictionary: (stand) =>
    study('semantic_dictionary', stand, {
      layers: layersOf(stand.layer ? [stand.layer] : []),
      position: stand.place ? spot(stand.place) : null,
      count: number(stand.count),
    }),
  activation_grid: (stand) => study('activation_grid', stand, { layers: layersOf(stand.layers), steps: number(stand.steps) }),
  spatial_attribution: (stand) => study('spatial_attribution', stand, { layers: layersOf(stand.layers) }),
  channel_attribution(stand) {
    const of = [stand.of, stand.rather].flatMap((label) => (label === null || label === undefined ? [] : [text(`logits:${label}`)]))
    return study('channel_attribution', stand, { layers: layersOf(stand.layers), of: of.length ? tuple(of) : null })
  },
  groups: (stand) => study('groups', stand, { layers: layersOf(stand.layer ? [stand.layer] : []), count: number(stand.count) }),
  flow(stand) {
    const of = target(stand)
    return study('flow', stand, { layers: layersOf(stand.layers), of: of === null ? null : tuple([text(of)]), count: number(stand.count) })
  },
  how_sure(stand) {
    const of = target(stand)
    const own = { layers: layersOf(stand.layer ? [stand.layer] : []), position: stand.place ? spot(stand.place) : null }
    return study('how_sure', stand, of === null ? own : { ...own, of: tuple([of, ...(stand.selections ?? [])].map(text)) })
  },
  what_if: whatIf,
  alike: (stand) =>
    lines(
      'import hooke',
      '',
      opened(stand),
      'for name, picture in hooke.photographs():',
      '    likeliest = model.predict(model.modality.canvas(picture))',
      '    print(name, [(one.label, round(one.probability, 3)) for one in likeliest])',
    ),
  confusions: (stand) =>
    lines(
      'import hooke',
      'import torch',
      'from hooke.interventions.readouts import classes_of',
      'from hooke.studies.alike import confusions',
      '',
      opened(stand),
      recorded,
      'samples = recording.samples()',
      'places = [samples.names.index(name) for name in recording.names]',
      'said = torch.tensor([model.predict(samples.read(at, model.modality), 1)[0].index for at in places])',
      'classes = classes_of(model, recording.labels)',
      'for one in confusions(classes[classes >= 0], said[classes >= 0]):',
      '    print(model.label(one.truth), "taken for", model.label(one.said), len(one.wrong), "times")',
    ),
  patch(stand) {
    const part = (percent: string): string => tuple(percent.split(',').map((side) => String(Number(side) / 100)))
    const outside = stand.outside ? `, ${part(stand.outside)}` : ''
    return lines(
      'import hooke',
      'from hooke.studies.patch_search import patch_search',
      '',
      seen(stand),
      `for one in patch_search(model, canvas, [${text(stand.layer ?? '')}], ${part(stand.inside ?? '0,0,100,100')}${outside}, count=${stand.count ?? 8}):`,
      '    print(one)',
    )
  },
  likeness: (stand) =>
    both(
      'likeness',
      stand,
      'for one in likeness(first, second, canvases):',
      '    print(one.layer, one.other, round(one.cka, 3), "moved:", round(one.moved, 3), "shuffled:", round(one.shuffled, 3))',
    ),
  changes: (stand) =>
    both(
      'changes',
      stand,
      `found = changes(first, second, canvases, ${text(stand.layer ?? '')})`,
      `at = ${stand.place ? spot(stand.place) : '(0, 0)'}`,
      'for channel, one, other in zip(*(each[at].tolist() for each in (found.channels, found.first, found.second))):',
      '    print(channel, one, other, other - one)',
    ),
  looks: (stand) =>
    lines(
      'from pathlib import Path',
      '',
      'import hooke',
      '',
      opened(stand),
      `for sign, seed in (("", 0), ("", 1), ("", 2), ("-", 0)):`,
      `    picture = hooke.visualize(model, sign + ${unitOf(stand)}, seed=seed${drawn(stand)})`,
      '    Path(f"unit{sign}{seed}.png").write_bytes(hooke.to_png(picture.image))',
      '    print(sign, seed, picture.response, picture.peak)',
    ),
  quality: (stand) =>
    lines(
      'import hooke',
      'from hooke.validation.pictures import measure',
      '',
      opened(stand),
      `first, *again = [hooke.visualize(model, ${unitOf(stand)}, seed=seed${drawn(stand)}) for seed in range(3)]`,
      `print(measure(model, first, of=${unitOf(stand)}, again=again))`,
    ),
  density: (stand) =>
    lines(
      'import hooke',
      'from hooke.responses.distributions import distribution',
      '',
      recorded,
      `print(distribution(recording, hooke.parse(${unitOf(stand)})))`,
    ),
  examples: (stand) =>
    lines(
      'import hooke',
      '',
      opened(stand),
      recorded,
      `found = hooke.examples(recording, ${unitOf(stand)}, model=model, count=4)`,
      'for bin in found.bins:',
      '    print(bin.low, bin.high, bin.count, [one.input for one in bin.examples])',
    ),
  selectivity: (stand) =>
    lines(
      'import hooke',
      'from hooke.responses.selectivity import selectivity',
      '',
      recorded,
      `found = selectivity(recording, hooke.parse(${unitOf(stand)}))`,
      'for name, auc, low, high in zip(found.names, found.auc, found.low, found.high):',
      '    print(f"{name}: {auc:.2f} [{low:.2f}, {high:.2f}]")',
    ),
  tuning(stand) {
    const [kind, over] = stand.stimulus ?? ['gratings', 'orientation']
    const sweep = number(stand.steps) === null ? 'steps=16, samples=6' : `steps=${stand.steps}, samples=2`
    return lines(
      'import hooke',
      'from hooke.responses.stimuli import stimulus',
      'from hooke.responses.tuning import Sweep',
      '',
      opened(stand),
      `found = hooke.tune(model, ${unitOf(stand)}, stimulus(${text(kind)}), over=${text(over)}, by=Sweep(${sweep}))`,
      'print(found.best(0))',
    )
  },
  feeds: (stand) => weights(stand, [text(stand.other ?? ''), unitOf(stand)], 'before', 'targets'),
  fed: (stand) => weights(stand, [unitOf(stand), text(stand.other ?? '')], 'after', 'sources'),
  ablation: (stand) =>
    lines(
      'import hooke',
      '',
      opened(stand),
      'canvases = [model.modality.canvas(picture) for _, picture in hooke.photographs()[:8]]',
      'data = [(canvas, model.predict(canvas, 1)[0].label) for canvas in canvases]',
      `print(hooke.effect(model, data, edit=hooke.edits.Ablate(${unitOf(stand)}), on="probability", controls=19))`,
    ),
  families(stand) {
    const few = number(stand.steps) === null ? null : `(${stand.steps}, ${stand.steps}), 2`
    return lines(
      'import hooke',
      'from hooke.responses.families import families, reflections, shuffled',
      'from hooke.responses.stimuli import Gratings, Patches',
      'from hooke.responses.tuning import Sweep',
      '',
      opened(stand),
      `layer = ${text(stand.layer ?? '')}`,
      `stripes = hooke.tune(model, layer, Gratings(), over=("orientation", "frequency"), by=Sweep(${few ?? '(16, 6), 8'}))`,
      `discs = hooke.tune(model, layer, Patches(), over=("hue", "size"), by=Sweep(${few ?? '(16, 3), 6'}))`,
      'for tuning, over in ((stripes, "orientation"), (stripes, "frequency"), (discs, "hue")):',
      '    print(over, "shuffled:", len(families(shuffled(tuning, over), over)))',
      '    for family in families(tuning, over):',
      '        print(family.units, family.shifts, family.likeness)',
      'print("mirror images, shuffled:", len(reflections(shuffled(stripes, "orientation"), "orientation")))',
      'for pair in reflections(stripes, "orientation"):',
      '    print(pair.units, pair.likeness)',
    )
  },
  atlas(stand) {
    const layout = stand.layout === 'UMAP' ? 'UMAP' : 'Principal'
    const inputs = number(stand.inputs)
    const some = inputs === null ? null : `range(0, len(samples), max(1, len(samples) // ${inputs}))`
    return lines(
      'from dataclasses import replace',
      'from pathlib import Path',
      '',
      'import hooke',
      `from hooke.studies.activation_atlas import DRAWING, ${layout}, activation_atlas, atlas_picture, gathering, together`,
      '',
      opened(stand),
      ...(some === null
        ? ['canvases = [model.modality.canvas(picture) for _, picture in hooke.photographs()]']
        : [recorded, 'samples = recording.samples()', `canvases = [samples.read(at, model.modality) for at in ${some}]`]),
      `vectors = together(list(gathering(model, canvases, ${text(stand.layer ?? '')}, each=${some === null ? 48 : 12})))`,
      `by = replace(DRAWING, steps=${number(stand.steps) ?? 24})`,
      `side = max(2, min(${some === null ? 8 : 12}, int((len(vectors.values) / 3) ** 0.5)))`,
      `*_, atlas = activation_atlas(model, vectors, side=side, layout=${layout}(), by=by)`,
      'Path("atlas.png").write_bytes(hooke.to_png(atlas_picture(atlas)[:3]))',
      'print(len(vectors.values), atlas.agreement.cosines.median(), atlas.agreement.shuffled.median())',
    )
  },
  units: (stand) =>
    lines(
      'import hooke',
      'from hooke.models.kernels import kernels',
      '',
      opened(stand),
      `norms = kernels(model, ${text(stand.layer ?? '')}).weights.flatten(1).norm(dim=1)`,
      'for channel, norm in enumerate(norms.tolist()):',
      '    print(channel, norm)',
    ),
}

function weights(stand: Stand, ends: readonly string[], side: string, own: string): string {
  return lines(
    'import hooke',
    '',
    opened(stand),
    `found = hooke.weights(model, ${ends.join(', ')})`,
    `excite, inhibit = found.${side}(found.${own}[0], 6)`,
    'for one in (*excite, *inhibit):',
    '    print(one.unit, one.excitation, one.inhibition)',
    'print(found.statement)',
  )
}
