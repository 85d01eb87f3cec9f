"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

from typer import Argument, Option

DEFAULT_MODEL = "efficientnet-lite0"

Model: TypeAlias = Annotated[
    str, Argument(metavar="MODEL", help="efficientnet-lite0, timm:NAME, torchvision:NAME or package.module:function.")
]
Device: TypeAlias = Annotated[str, Option(help="Where the model runs: cpu, cuda, cuda:1, mps.")]
Precision: TypeAlias = Annotated[str, Option(help="The numbers it runs with: float32, bfloat16, float16 or float64.")]
Trust: TypeAlias = Annotated[
    bool, Option("--trust", help="Let a weight file run code while it is read. Only for files from people you trust.")
]
Json: TypeAlias = Annotated[bool, Option("--json", help="Print JSON on stdout; errors are JSON on stderr.")]
Seed: TypeAlias = Annotated[int, Option(min=0, help="Of the random start and movements of a drawing.")]
Steps: TypeAlias = Annotated[int | None, Option(min=1, help="Steps of the optimization.")]
Recording: TypeAlias = Annotated[
    Path | None, Option(metavar="FOLDER", help="What `hooke record` saw the units of this model do over data.")
]
Folder: TypeAlias = Annotated[Path, Option("--out", metavar="DIR", help="Folder for the pictures; made if missing.")]
