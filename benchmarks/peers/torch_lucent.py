"""The peer's side of the visualization benchmark: draws units with torch-lucent 0.1.8, as asked on standard input.

Run by `visualization.py` with the interpreter of the peer's own environment. A line of JSON in, one out.
"""

import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402

CANVAS = 128


def main() -> None:
    """Answers requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from lucent.optvis import param, render, transform

    import hooke

    torch.manual_seed(0)
    np.random.seed(0)
    module = hooke.open().module.eval()
    views = [*transform.standard_transforms, lambda batch: (batch - 0.5) / 0.5]
    for line in sys.stdin:
        request = json.loads(line)
        layer, channel = request["unit"].rsplit(":", 1)
        begun = time.perf_counter()
        pictures = render.render_vis(
            module,
            f"{layer.replace('.', '_')}:{channel}",
            param_f=lambda: param.image(CANVAS, fft=True, decorrelate=True),
            transforms=views,
            thresholds=(request["steps"],),
            preprocess=False,
            progress=False,
            show_image=False,
        )
        seconds = time.perf_counter() - begun
        np.save(request["file"], pictures[-1][0].astype("float32"))
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main()
