"""The program: its commands, what it says when it is called alone, and its exit codes."""

import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, TextIO

import typer

from hooke.cli.attribute import attribute
from hooke.cli.cache import cache
from hooke.cli.compare_visualizations import compare_visualizations
from hooke.cli.doctor import doctor
from hooke.cli.effect import effect
from hooke.cli.examples import examples
from hooke.cli.explore import explore
from hooke.cli.factorize import factorize
from hooke.cli.layers import layers
from hooke.cli.options import Json
from hooke.cli.predict import predict
from hooke.cli.publish import publish
from hooke.cli.quality import quality
from hooke.cli.record import record
from hooke.cli.render import render
from hooke.cli.report import INTERRUPTED, ORANGE, console, emit, refuse, refuse_usage, say
from hooke.cli.selectivity import selectivity
from hooke.cli.stimuli import stimuli
from hooke.cli.study import study
from hooke.cli.surgery import surgery
from hooke.cli.surprise import surprise
from hooke.cli.sweep import sweep
from hooke.cli.tune import tune
from hooke.cli.validate import validate
from hooke.cli.visualize import visualize
from hooke.cli.weights import weights
from hooke.errors import HookeError, LinearityWarning, StoreWarning

REFUSED, MISUSED = 1, 2

WELCOME = """\
Hooke is a microscope for neural networks: it shows what every unit of a
trained model looks for.

  hooke explore [MODEL] [IMAGES]   the microscope, in the browser
  hooke publish MODEL cat.jpg      the same as static files, for any web server
  hooke layers MODEL               the places in a model that have an address
  hooke predict MODEL cat.jpg      what the model takes a picture for
  hooke visualize MODEL ADDRESS    draw what units look for
  hooke study NAME MODEL cat.jpg   a photograph as the model sees it
  hooke cache info, cache clear    where drawings are kept; forget them

pictures    render, compare-visualizations, quality
responses   record, examples, selectivity, surprise, tune, stimuli
reasons     attribute, validate, factorize
weights     weights, effect, sweep, surgery
machine     doctor

MODEL    efficientnet-lite0 (comes along), timm:NAME, torchvision:NAME or
         package.module:function; then ?weights=FILE or ?pretrained=false
ADDRESS  blocks.4.1.bn2.act:312 a channel, ...:312@5,7 a neuron,
         'logits:"tabby, tabby cat"' a label, '2*a:3 - 0.5*b:7' a sum

Every command takes --json and --help; hooke --version tells which Hooke it is.
"""

app = typer.Typer(
    name="hooke",
    help="Hooke, a microscope for neural networks.",
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(short_help="Open the microscope in the browser.")(explore)
app.command(short_help="Write the microscope into static files.")(publish)
app.command(short_help="List the layers of a model.")(layers)
app.command(short_help="Tell what a model takes a picture for.")(predict)
app.command(short_help="Tell which parts of a picture or layer speak for a target.")(attribute)
app.command(short_help="Tell whether maps are better than looking at nothing.")(validate)
app.command(short_help="Carry out one study of a model and a photograph.")(study)
app.command(short_help="Draw what units look for, as PNG files.")(visualize)
app.command(short_help="Draw whole layers into sprite sheets.")(render)
app.command(short_help="The same units by several methods, on one page.")(compare_visualizations)
app.command(short_help="Measure how far to trust the pictures of units.")(quality)
app.command(short_help="Record every unit's responses to many inputs.")(record)
app.command(short_help="Show what units respond to in recorded data.")(examples)
app.command(short_help="Tell what a unit prefers, or which units prefer something.")(selectivity)
app.command(short_help="List the units that nothing explains yet.")(surprise)
app.command(short_help="Find the groups of a layer, which are addresses from then on.")(factorize)
app.command(short_help="Measure how units are tuned to synthetic stimuli.")(tune)
app.command(short_help="List the synthetic stimuli and their parameters.")(stimuli)
app.command(short_help="Tell what this machine offers, and how a model runs fastest.")(doctor)
app.command(short_help="Read the weights between the units of two layers.")(weights)
app.command(short_help="Measure what an edit changes, beside controls.")(effect)
app.command(short_help="Find which units matter most; doses; pairs.")(sweep)
app.command(short_help="Burn edits into a copy of the weights.")(surgery)
app.add_typer(cache, name="cache")


@app.callback(invoke_without_command=True)
def alone(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Tell which Hooke this is.")] = False,
    as_json: Json = False,
) -> None:
    """Hooke, a microscope for neural networks: see what every unit of a trained model looks for."""
    if version:
        from hooke.provenance import versions

        found = versions()
        emit(found) if as_json else print(f"hooke {found['hooke']}")
        raise typer.Exit()
    if context.invoked_subcommand is None:
        from rich.text import Text

        text = Text(WELCOME.rstrip())
        text.highlight_regex(r"(?m)^  hooke \w+", style=ORANGE)
        console().print(text)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0, or 1 where Hooke refuses, 2 where the command line is wrong, 130 after Ctrl-C."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in arguments
    with warnings.catch_warnings():
        warnings.showwarning = _remark
        try:
            code = app(arguments, prog_name="hooke", standalone_mode=False)
            return code if isinstance(code, int) else 0
        except HookeError as error:
            refuse(error, as_json=as_json)
            return REFUSED
        except typer.TyperException as error:
            refuse_usage(error.format_message(), as_json=as_json)
            return MISUSED
        except (KeyboardInterrupt, typer.Abort):
            return INTERRUPTED


def _remark(
    message: Warning | str, category: type[Warning], filename: str, lineno: int,
    file: TextIO | None = None, line: str | None = None,
) -> None:  # fmt: skip
    """Warnings of ours in words; all others as Python writes them."""
    if issubclass(category, StoreWarning | LinearityWarning):
        say(f"hooke: {message}")
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), file=file or sys.stderr, end="")
