"""What all peers' sides share: a line of JSON in (unit, steps, file), the picture into a file, a line of JSON out."""

import json
import os
import sys
import time
import warnings
from collections.abc import Callable

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402

import hooke  # noqa: E402

Draw = Callable[[torch.nn.Module, str, int, int], "np.ndarray"]
"""Of a module, a layer, a channel and a number of steps makes a picture [height, width, 3], values 0 to 1."""


def serve(prepare: Callable[[], Draw]) -> None:
    """Answers requests until standard input ends; whatever the peer prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    draw = prepare()
    torch.manual_seed(0)
    np.random.seed(0)
    module = hooke.open().module.eval()
    for line in sys.stdin:
        request = json.loads(line)
        layer, channel = request["unit"].rsplit(":", 1)
        begun, worked = time.perf_counter(), time.process_time()
        picture = draw(module, layer, int(channel), request["steps"])
        spent = {"seconds": time.perf_counter() - begun, "processor": time.process_time() - worked}
        np.save(request["file"], np.ascontiguousarray(picture, dtype="float32"))
        print(json.dumps(spent), file=answers, flush=True)
