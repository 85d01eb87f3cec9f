"""The types of the wire that the figure of activation grids is made of."""

from pydantic import BaseModel


class AgreementView(BaseModel):
    """What the network sees in the cells' pictures, beside the vectors they stand for; medians over the cells."""

    cosine: float | None
    shuffled: float | None
    """With the vector of another cell, drawn at random."""
    centred: float | None
    """As `cosine`, after the grid's mean vector is taken from both."""
    told: float
    """Share of cells whose picture is nearer to their own vector than to any other of the grid."""


class GridView(BaseModel):
    """The grid of one layer as it stands: on the way it has fewer rows and columns than the layer."""

    layer: str
    rows: int
    columns: int
    sheet_url: str
    """WebP of all cells side by side, row by row."""
    norms: list[float]
    """L2 norms of the cells' vectors, row by row."""
    agreement: AgreementView | None
    """Known at the end of each level of fineness."""
    level: int
    levels: int
    step: int
    canvases: int
    """Small canvases that went through the network and back so far."""
    photographs: float
    """The same in whole photographs' pixels."""
    done: bool


class GridsView(BaseModel):
    """The grids of one photograph, as far as there is anything to see of them; shallow layers first."""

    layers: list[GridView]
