"""The flow as numbers and as a diagram, with one path traced and the rank correlation with measured effects."""

import time
from textwrap import fill
from typing import Any

from hooke.models.model import Model
from hooke.plots.groups import group_maps
from hooke.plots.sankey import Column, sankey
from hooke.shapes import Canvas
from hooke.studies.flow import GroupFlow, group_flow, shuffled_flow
from hooke.studies.layers import tracing_layers
from hooke.studies.registry import Asked, Report, Watch
from hooke.studies.reports import trust
from hooke.studies.reports.groups import strongest_units
from hooke.studies.reports.targets import likeliest, named
from hooke.studies.tracing import Trace, traced

LAYERS, GROUPS = 3, 6


def report(model: Model, canvas: Canvas, asked: Asked, watch: Watch) -> Report:
    """Groups of three layers (two to five) to the likeliest label; traced: the group that gives most of the middle."""
    layers = list(asked.layers) or tracing_layers(model, LAYERS)
    of = asked.of[0] if asked.of else likeliest(model, canvas)
    begun = time.perf_counter()
    watch("flow", 0, 2)
    flow = group_flow(model, canvas, of, at=layers, rank=asked.count or GROUPS, seed=asked.seed)
    seconds = {"tables": time.perf_counter() - begun}
    watch("control", 1, 2)
    control = shuffled_flow(model, canvas, flow, seed=asked.seed)
    seconds["all"] = time.perf_counter() - begun
    middle = len(flow.flows.nodes) // 2
    trace = traced(flow.flows, middle, int(flow.flows.nodes[middle][:-1].abs().argmax()))
    told = _trusted(flow)
    facts = {**_facts(model, flow, control, trace), **trust.facts(*told), "timings": seconds}
    return Report(facts, _figures(model, canvas, flow, control, trace, told))


def _trusted(flow: GroupFlow) -> list[trust.Told]:
    """What groups, and what flows between them, are said to give beside what is lost without them."""
    names = [one.layer for one in flow.factorizations]
    nodes = [
        trust.here(gives.tolist(), lost.tolist(), f"groups of {name}", name)
        for name, gives, lost in zip(names, flow.flows.nodes, flow.effects, strict=True)
    ]
    edges = [
        trust.here(edge.flatten().tolist(), lost.flatten().tolist(), f"flows from {one} to {other}", one)
        for one, other, edge, lost in zip(names, names[1:], flow.flows.edges, flow.edge_effects, strict=False)
    ]
    return [*nodes, *edges]


def _facts(model: Model, flow: GroupFlow, control: GroupFlow, trace: Trace) -> dict[str, Any]:
    flows = flow.flows
    return {
        "of": flow.of, "name": named(model, flow.of), "score": flows.score,
        "layers": [
            {
                "layer": one.layer, "explained": one.explained, "agreement": agreement, "shuffled": shuffled,
                "rest": residual,
                "groups": [
                    {
                        "address": str(address), "gives": float(flows.nodes[level][at]),
                        "measured": float(flow.effects[level][at]), "map": one.scores[0, at].tolist(),
                    }
                    for at, address in enumerate(one.addresses)
                ]
                + [{"rest": True, "gives": float(flows.nodes[level][-1]), "measured": float(flow.effects[level][-1])}],
            }
            for level, (one, agreement, shuffled, residual) in enumerate(
                zip(flow.factorizations, flow.agreement, control.agreement, flows.residuals, strict=True)
            )
        ],
        "edges": [edge.tolist() for edge in flows.edges], "around": [one.tolist() for one in flows.around],
        "constants": [one.tolist() for one in flows.constants], "constant": flows.constant,
        "edge_agreement": flow.edge_agreement, "shuffled_edge_agreement": control.edge_agreement,
        "imbalance": flows.imbalance(), "traced": list(trace.chosen), "strongest": list(trace.strongest),
        "shares": [share.tolist() for share in trace.edges],
    }  # fmt: skip


def _figures(
    model: Model, canvas: Canvas, flow: GroupFlow, control: GroupFlow, trace: Trace,
    told: list[trust.Told],
) -> dict[str, Any]:  # fmt: skip
    """Greyed where what is drawn contradicts, or has nothing to do with, what is measured."""
    flows, failing = flow.flows, [one for one in told if one.fails]
    columns = []
    for level, one in enumerate(flow.factorizations):
        names = [f".{at}" for at in range(len(one.addresses))] + ["rest"]
        note = f"true to {flow.agreement[level]:.2f} (shuffled {control.agreement[level]:.2f})"
        columns.append(Column(one.layer, note, names, flows.nodes[level].numpy()))
    edges = [edge.numpy() for edge in flows.edges]
    name = named(model, flow.of)
    title = f"{model.name}: what groups give to {name}, in logits"
    passing = ", ".join(f"{1 - one:.0%}" for one in flows.through)
    note = (
        "orange for, blue against; true to: rank correlation of what each group gives with what is lost without it.\n"
        f"Not drawn: what passes the next layer by ({passing} of what flows out), and constants."
    )
    end = (name.split(",")[0], flows.score)
    note += "\n" + fill(trust.sentences(*failing), 150) if failing else ""
    chosen = flow.factorizations[trace.chosen[0]].addresses[trace.chosen[1]]
    shares = [*(share.numpy() for share in trace.edges), trace.nodes[-1].numpy()[None]]
    figures = {
        "flow": sankey(columns, edges, None, end, title, note, bool(failing)),
        "traced": sankey(columns, edges, shares, end, f"{title}: of {chosen}", note, bool(failing)),
    }
    photograph = canvas.permute(1, 2, 0).expand(-1, -1, 3).cpu().numpy()
    for one in flow.factorizations:
        units = ["channels " + ", ".join(map(str, strongest_units(one, at))) for at in range(len(one.addresses))]
        texts = [f".{at}" for at in range(len(one.addresses))]
        heading = f"{one.layer}: {len(texts)} groups explain {one.explained:.0%}"
        maps = group_maps(photograph, one.scores[0].numpy(), texts, units, one.shares.tolist(), heading)
        figures[f"groups-{one.layer}"] = maps
    return figures
