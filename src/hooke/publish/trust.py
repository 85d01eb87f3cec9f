"""How far to trust the pictures of the units whose whole evidence is published: measured once all are drawn."""

import json
from collections.abc import Sequence
from itertools import islice

from hooke.addresses import Place
from hooke.errors import HookeError
from hooke.publish import figures
from hooke.publish.figures import At
from hooke.publish.folder import Folder
from hooke.publish.ledger import Ledger
from hooke.results import Picture
from hooke.server.microscope import Microscope, is_other
from hooke.server.unit import SEEDS, from_seeds, quality
from hooke.server.wanted import again_of

NAME = "how far to trust pictures"


class Trust:
    """What is missing of some units."""

    def __init__(self, here: Microscope, folder: Folder, ledger: Ledger, units: Sequence[At]) -> None:
        self.here, self.folder, self.ledger = here, folder, ledger
        self.missing = [at for at in units if not folder.answered(figures.trusted(at))]
        self.failures: dict[str, str] = {}
        ledger.expect(NAME, len(self.missing), 3)

    def publish(self, drawn: Sequence[str]) -> None:
        """Of each: beside the first of `drawn` that are of other units of its layer, so that it is the same after a
        resume. A unit without a picture has no answer."""
        for at in self.missing:
            place = Place(at.layer, at.channel)
            with self.ledger.doing(NAME):
                own = from_seeds(self.here, place)
                try:
                    found = quality(self.here, place, own, self._others(place, drawn)) if own else None
                except HookeError as error:
                    self.failures[figures.trusted(at)] = error.reason
                    continue
                if found:
                    self.folder.keep(figures.trusted(at), json.loads(found.model_dump_json()))

    def _others(self, place: Place, drawn: Sequence[str]) -> list[Picture]:
        of_others = (text for text in drawn if not again_of(text) and is_other(text, place))
        return list(islice(filter(None, map(self.here.picture, of_others)), SEEDS))
