"""An activation atlas of many photographs, as a picture and as numbers."""

from dataclasses import replace

from hooke.modalities.samples import Samples
from hooke.models.model import Model
from hooke.plots.grids import Shown, grids
from hooke.studies.activation_atlas import DRAWING, UMAP, Atlas, Layout, activation_atlas, atlas_picture, gathered
from hooke.studies.registry import Asked, Report, Watch
from hooke.studies.reports.activation_grid import figures
from hooke.studies.semantic_dictionary import default_layer

CELLS = 20
LAYOUT: Layout = UMAP()


def report(model: Model, samples: Samples, asked: Asked, watch: Watch) -> Report:
    """The atlas of one layer, of all vectors, of one target or of two; `asked.count` cells a side."""
    layer = asked.layers[0] if asked.layers else default_layer(model)
    vectors = gathered(model, samples, layer, list(asked.of), seed=asked.seed, watch=watch)
    watch("layout", 0, 1)
    by = replace(DRAWING, steps=asked.steps or DRAWING.steps)
    atlas: Atlas | None = None
    for atlas in activation_atlas(model, vectors, side=asked.count or CELLS, layout=LAYOUT, by=by, seed=asked.seed):
        watch(f"{atlas.there.shape[0]} x {atlas.there.shape[1]} cells", atlas.step, max(atlas.step, by.coarse))
    assert atlas is not None
    assert atlas.agreement is not None
    found = figures(atlas.agreement)
    facts = {
        "layer": layer, "of": atlas.of, "photographs": len(samples), "vectors": len(vectors.values),
        "rows": atlas.there.shape[0], "columns": atlas.there.shape[1], "counts": atlas.counts.tolist(),
        "passes": atlas.passes, **found,
    }  # fmt: skip
    picture = atlas_picture(atlas, max(40, 800 // atlas.there.shape[0]))
    below = (
        f"{int(atlas.there.sum())} cells of {int(atlas.counts.sum())} vectors from {len(samples)} photographs; "
        f"cosine, median: {found['cosine']:.2f}; shuffled {found['shuffled']:.2f}"
    )
    title = f"{layer}, for {atlas.of}" if atlas.of else layer
    figure = grids([Shown(picture[:3].permute(1, 2, 0).numpy(), title, below)], across=1, side=6.5)
    return Report(facts, {"activation_atlas": figure}, {"atlas": picture})
