"""`hooke cache`: where finished results are kept, and how to forget them."""

import typer

from hooke.cli.options import Json
from hooke.cli.report import console, emit

cache = typer.Typer(help="See or forget the results that are kept on this machine.", rich_markup_mode=None)


@cache.command()
def info(as_json: Json = False) -> None:
    """Tell where results are kept, how many there are and how much room they take. HOOKE_CACHE moves the folder."""
    from hooke.storage.files import Files

    found = Files().info()
    if as_json:
        emit(found)
        return
    room = f"{found.bytes / 2**20:,.1f} of at most {found.limit_bytes / 2**20:,.0f} MiB"
    console().print(f"{found.folder}\n{found.entries:,} results, {room}")


@cache.command()
def clear(as_json: Json = False) -> None:
    """Delete every kept result; each is computed again when it is next asked for."""
    from hooke.storage.files import Files

    store = Files()
    removed = store.clear()
    if as_json:
        emit({"folder": store.folder, "removed": removed})
    else:
        console().print(f"{store.folder}\n{removed:,} results deleted")
