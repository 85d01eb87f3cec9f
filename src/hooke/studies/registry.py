"""The studies by name: what each shows, what it is asked, and what it answers with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hooke.errors import HookeError, nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hooke.modalities.samples import Samples
    from hooke.models.model import Model
    from hooke.shapes import Canvas

Watch = Callable[[str, int, int], None]
"""Told what is being done, and how much of how much of it is done."""


@dataclass(frozen=True)
class Asked:
    """What a study may be asked beside the model and the photograph; each takes what it has a use for.

    `layers` and `of` (targets) empty: the study's own choice. `position` is (row, column), `count` how many units,
    groups or cells are shown, `steps` how many steps an optimization takes.
    """

    layers: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    position: tuple[int, int] | None = None
    count: int | None = None
    steps: int | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Report:
    """What a study found: its numbers, its figures, and pictures (channel, row, column), values 0 to 1, by file name.

    Pictures of four channels have their opacity last.
    """

    facts: Mapping[str, Any]
    figures: Mapping[str, "Figure"] = field(default_factory=dict)
    pictures: Mapping[str, "Canvas"] = field(default_factory=dict)


@dataclass(frozen=True)
class Grammar:
    """What a view of a layer is, in the article's grammar: of which atoms it tells what, and how it lies on the page.

    `atom`: neuron, spatial (a position), channel, group or whole (the layer). Written with `/` between.
    Source: Olah et al., "The Building Blocks of Interpretability" (Distill 2018).
    """

    atom: str
    content: str
    presentation: str

    def __str__(self) -> str:
        return f"{self.atom}/{self.content}/{self.presentation}"


@dataclass(frozen=True)
class Study:
    """One study: its name, what it shows in a sentence and in the article's grammar, and the module of its `report`.

    A study of one photograph has `report(model, canvas, asked, watch) -> Report`; one of many (`many`) gets their
    samples instead of the canvas.
    """

    name: str
    sentence: str
    grammar: Grammar
    home: str
    many: bool = False

    def report(self, model: "Model", seen: "Canvas | Samples", asked: Asked, watch: Watch) -> Report:
        """Carry it out. Errors: those of the study."""
        found: Report = import_module(self.home).report(model, seen, asked, watch)
        return found


STUDIES = (
    Study(
        "semantic_dictionary",
        "the units that fire most at a position, and the labels that each speaks for and against",
        Grammar("neuron", "activation", "dictionary"),
        "hooke.studies.reports.semantic_dictionary",
    ),
    Study(
        "activation_grid",
        "every position of four layers, drawn as the picture that the network takes for the same",
        Grammar("spatial", "visualization", "grid"),
        "hooke.studies.reports.activation_grid",
    ),
    Study(
        "spatial_attribution",
        "over four layers, which positions influenced which, and what classes they speak for",
        Grammar("spatial", "attribution", "map"),
        "hooke.studies.reports.spatial_attribution",
    ),
    Study(
        "channel_attribution",
        "the units of each layer that argue for a class, or for one rather than another, and against",
        Grammar("channel", "attribution", "list"),
        "hooke.studies.reports.channel_attribution",
    ),
    Study(
        "groups",
        "the groups of a layer over the photograph, and the effect of each on the classes",
        Grammar("group", "activation", "map"),
        "hooke.studies.reports.groups",
    ),
    Study(
        "flow",
        "what groups of two to five layers give to each other and to a class, and how true that is",
        Grammar("group", "attribution", "flow"),
        "hooke.studies.reports.flow",
    ),
    Study(
        "how_sure",
        "what selections give to a target: to first order, integrated, and measured by ablation",
        Grammar("whole", "attribution", "table"),
        "hooke.studies.reports.how_sure",
    ),
    Study(
        "caricature",
        "what four layers see in the photograph, exaggerated",
        Grammar("whole", "visualization", "picture"),
        "hooke.studies.reports.caricature",
    ),
    Study(
        "activation_atlas",
        "what a layer can see, from many photographs: at all, for a class, or for one class rather than another",
        Grammar("spatial", "visualization", "atlas"),
        "hooke.studies.reports.activation_atlas",
        many=True,
    ),
)
"""In the order in which one looks."""

VIEWS: Mapping[str, Grammar] = {
    **{one.name: one.grammar for one in STUDIES if not one.many},
    "what_if": Grammar("whole", "intervention", "table"),
    "alike": Grammar("whole", "error", "list"),
}
"""Every view of a photograph by its name: the studies of one, and what only a page can show."""


def study(name: str) -> Study:
    """The study of that name, written with `-` or `_`, or by its grammar. Errors: HookeError where there is none."""
    known = {one.name: one for one in STUDIES}
    spelled = {str(one.grammar): one for one in STUDIES}
    wanted = name.replace("-", "_")
    if wanted in known:
        return known[wanted]
    if name in spelled:
        return spelled[name]
    choices = nearest(name, spelled, len(spelled)) if "/" in name else nearest(wanted, known, len(known))
    raise HookeError(f"the study {name}", "there is none of that name", choices=choices)


def silent(doing: str, done: int, total: int) -> None:
    """Watch nothing."""
