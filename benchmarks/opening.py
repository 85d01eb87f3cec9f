"""What a person waits for: the help, the address, the page's first semantic dictionary, the first sharp picture.

Each round starts a new server with an empty store, as real processes; medians of several rounds, in seconds.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

SHARP_STEP = 24
"""Steps, all on half the canvas, after which a small drawing attains about 0.8 of what the large one comes to, on the
layer that is shown first (docs/visualization.md, "Coarse to fine")."""


def fetch(url: str, body: object = None) -> object:
    """The JSON that a route answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} if data else {})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())


def events(url: str):  # type: ignore[no-untyped-def]
    """(name, data) of each server-sent event."""
    with urllib.request.urlopen(url, timeout=120) as stream:
        name = ""
        for line in stream:
            text = line.decode().strip()
            if text.startswith("event:"):
                name = text.removeprefix("event:").strip()
            elif text.startswith("data:"):
                yield name, json.loads(text.removeprefix("data:"))


def start(cache: str) -> Mapping[str, float]:
    """One start of the server, from the command to the first finished picture."""
    begun = time.perf_counter()
    environment = {**os.environ, "HOOKE_CACHE": cache}
    command = [str(Path(sys.executable).with_name("hooke")), "explore", "--json", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert server.stdout
    seen: dict[str, float] = {}
    try:
        url = json.loads(server.stdout.readline())["address"]
        seen["address printed"] = time.perf_counter() - begun
        model = fetch(f"{url}/api/model")
        seen["page served"] = time.perf_counter() - begun
        image = fetch(f"{url}/api/images")[0]["id"]  # type: ignore[index]
        layer = model["default_layer"]  # type: ignore[index]
        table = fetch(f"{url}/api/images/{image}/dictionary?layer={layer}")
        analysed = time.perf_counter()
        seen["first semantic dictionary"] = analysed - begun
        place = (5 * table["width"] + 5) * table["count"]  # type: ignore[index]
        units = [f"{layer}:{channel}" for channel in table["channels"][place : place + 4]]  # type: ignore[index]
        wanted = fetch(f"{url}/api/drawings", {"addresses": units})
        seen["first guess, after the analysis"] = time.perf_counter() - analysed
        for name, event in events(f"{url}/api/events?jobs={wanted['job']}"):  # type: ignore[index]
            since = time.perf_counter() - analysed
            if name == "progress" and event["step"] >= SHARP_STEP:
                seen.setdefault(f"step {SHARP_STEP} shown, after the analysis", since)
            if name == "finished":
                seen.setdefault("first finished, after the analysis", since)
            if name == "end":
                break
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
    return seen


def helped() -> float:
    """Seconds of `hooke --help`."""
    begun = time.perf_counter()
    subprocess.run([str(Path(sys.executable).with_name("hooke")), "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Runs the rounds and prints one JSON object, also to `--out`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    helps = [helped() for _ in range(given.rounds)]
    rounds = []
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as cache:
            rounds.append(start(cache))
    report = {"hooke --help": statistics.median(helps)}
    report |= {name: statistics.median(seen[name] for seen in rounds) for name in rounds[0]}
    text = json.dumps({name: round(seconds, 2) for name, seconds in report.items()}, indent=1)
    print(text)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
