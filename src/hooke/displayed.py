"""What a notebook shows of a result: a picture where there is one, and its numbers."""

from importlib import import_module


class Displayed:
    """A result that notebooks show as HTML; how, is up to `hooke.notebook`, which is read when it is asked for."""

    def _repr_html_(self) -> str:
        """Its picture and its numbers."""
        found: str = import_module("hooke.notebook.displays").html(self)
        return found
