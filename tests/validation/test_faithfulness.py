"""Every metric on a linear model whose exact credits are known: exact maps get the exact score."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from validation.linear import MEAN, SIDE, exact, inputs, linear

from hooke.attribution import Gradient, GradientTimesActivation
from hooke.errors import NumericsError
from hooke.numeric.fixed import Fixed
from hooke.validation.bench import Bench, area, top
from hooke.validation.faithfulness import (
    ROAD,
    ROAR,
    Blur,
    Complexity,
    Deletion,
    FaithfulnessCorrelation,
    Gap,
    Imputed,
    Infidelity,
    Insertion,
    MaxSensitivity,
    Mean,
    PointingGame,
    Randomization,
    RelevanceMass,
    Sample,
    SensitivityN,
    Zero,
    agreement,
)
from hooke.validation.faithfulness.randomization import alike, entropy, layers, ssim
from hooke.validation.sources import Explained, Function, Given

MODEL, WEIGHT = linear()
CANVASES = inputs(3)
LABEL = 1
EXACT = exact(CANVASES, WEIGHT, LABEL)
NOISE = torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(9))
CURVE = {"steps": 6, "cell": 2, "score": "value"}
SUBSETS = [
    FaithfulnessCorrelation(cell=2, count=40),
    FaithfulnessCorrelation(cell=1, count=40),
    FaithfulnessCorrelation(cell=2, count=40, ranked=True),
    SensitivityN(cell=2, count=20),
    SensitivityN(cell=1, count=20, shares=(0.01, 0.3, 0.8)),
]


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(MODEL, CANVASES, [f"logits:{LABEL}"] * 3, rows=64)


def scored(metric, bench: Bench, *maps: torch.Tensor) -> torch.Tensor:
    return metric.scores(bench, [Given("maps", Fixed(one), Fixed(CANVASES)) for one in maps], torch.stack(maps))


@pytest.mark.parametrize(
    "removal", [Zero(), Mean(), Blur(1.0), Sample(Fixed(inputs(2, seed=5)))], ids=lambda one: one.text
)
def test_the_curves_of_exact_credits_are_known_and_no_order_is_better(bench: Bench, removal) -> None:
    under = removal.substrate(CANVASES, MODEL.modality)
    credit = exact(CANVASES, WEIGHT, LABEL, under)
    cells = bench.pooled(credit[None], 2)[0]
    whole = (WEIGHT[LABEL] * (CANVASES - MEAN)).sum((1, 2, 3)).double()
    sizes = [round(cells.shape[1] * step / 6) for step in range(7)]
    best = cells.sort(dim=1, descending=True).values
    falling = torch.stack([whole - best[:, :size].sum(1) for size in sizes], 1)
    rising = torch.stack([whole - best.flip(1)[:, :size].sum(1) for size in sizes], 1)
    shuffled = NOISE
    for metric, wanted in (
        (Deletion(removal, **CURVE), area(falling)),
        (Insertion(removal, **CURVE), area(rising)),
        (Gap(removal, **CURVE), area(rising - falling)),
    ):
        own, scaled, other, turned = scored(metric, bench, credit, 7 * credit, shuffled, -credit)
        torch.testing.assert_close(own, wanted, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(scaled, own)
        better = own > other if metric.higher else own < other
        assert bool(better.all())
        if isinstance(metric, Gap):
            torch.testing.assert_close(turned, -own)


def test_a_constant_map_has_a_random_order_and_no_gap_on_average() -> None:
    many = inputs(40, seed=3)
    bench = Bench(MODEL, many, ["logits:0"] * 40)
    flat = torch.ones(1, 40, SIDE, SIDE)
    source = Given("flat", Fixed(flat[0]), Fixed(many))
    gaps = Gap(**CURVE).scores(bench, [source], flat)[0]
    assert abs(float(gaps.mean())) < 3 * float(gaps.std()) / 40**0.5
    ranks = bench.ranks(bench.pooled(flat, 2))
    assert not torch.equal(ranks[0, 0], ranks[0, 1])
    assert torch.equal(bench.ranks(bench.pooled(flat, 2), least=True), 35 - ranks)


def test_deletion_and_gap_share_their_passes(bench: Bench) -> None:
    fresh = Bench(MODEL, CANVASES, bench.of)
    scored(Deletion(**CURVE), fresh, EXACT)
    before = fresh.passes
    scored(Deletion(**CURVE), fresh, 3 * EXACT)
    assert fresh.passes == before
    scored(Gap(**CURVE), fresh, EXACT)
    assert fresh.passes == before + 3 * 5  # the other order; both ends are known


@pytest.mark.parametrize("metric", SUBSETS, ids=lambda one: f"{one.name} {one.cell}")
def test_correlations_of_exact_credits_are_one_at_every_size(bench: Bench, metric) -> None:
    own, scaled, turned, flat, noise = scored(metric, bench, EXACT, 1e-3 * EXACT, -EXACT, torch.ones_like(EXACT), NOISE)
    torch.testing.assert_close(own, torch.ones(3).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaled, own)
    torch.testing.assert_close(turned, -own)
    assert torch.equal(flat, torch.zeros(3).double())
    assert float(noise.abs().max()) < 0.8
    if isinstance(metric, SensitivityN):
        each = metric.by_size(bench, EXACT[None])
        torch.testing.assert_close(each, torch.ones_like(each), atol=1e-5, rtol=0)


def test_infidelity_of_exact_credits_is_zero_and_of_nothing_one(bench: Bench) -> None:
    free = Infidelity(cell=2, count=40)
    own, scaled, turned, none, noise = scored(free, bench, EXACT, 5 * EXACT, -EXACT, torch.zeros_like(EXACT), NOISE)
    torch.testing.assert_close(torch.stack([own, scaled]), torch.zeros(2, 3).double(), atol=1e-6, rtol=0)
    assert torch.equal(turned, torch.ones(3).double())
    assert torch.equal(none, torch.ones(3).double())
    assert bool((noise > 0.3).all())
    own, doubled, none = scored(Infidelity(False, cell=2, count=40), bench, EXACT, 2 * EXACT, torch.zeros_like(EXACT))
    assert float(own.max()) < 1e-6
    torch.testing.assert_close(doubled, none, atol=1e-5, rtol=1e-5)  # twice too much is as far as nothing


def test_infidelity_is_captums_on_the_same_removals(bench: Bench) -> None:
    from captum.metrics import infidelity

    from hooke.validation.faithfulness.subsets import trials

    asked = trials(bench, Zero(), 29, 40, 1, "value")  # a fifth of 144 pixels
    removed = asked.gone.view(3, 40, 1, SIDE, SIDE).transpose(0, 1) * (CANVASES - MEAN)[None]
    at = iter(range(40))

    def perturb(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        amount = removed[next(at)]
        return amount, inputs - amount

    def forward(inputs: torch.Tensor) -> torch.Tensor:
        return (inputs * WEIGHT[LABEL]).sum((1, 2, 3))

    local = NOISE[:, None] / (CANVASES - MEAN)  # captum multiplies by what is removed
    wanted = infidelity(forward, perturb, CANVASES, local, n_perturb_samples=40, max_examples_per_batch=3)
    found = scored(Infidelity(False, cell=1, count=40), bench, NOISE)[0]
    torch.testing.assert_close(found, wanted.double(), atol=1e-3, rtol=1e-3)


def test_max_sensitivity_of_a_linear_model(bench: Bench) -> None:
    metric, source = MaxSensitivity(0.05, 4), Explained("g", Gradient())
    maps = source.maps(MODEL, CANVASES, bench.of)
    assert float(metric.scores(bench, [source], maps[None]).max()) < 1e-6
    source = Explained("gxi", GradientTimesActivation())
    maps = source.maps(MODEL, CANVASES, bench.of)
    torch.testing.assert_close(maps, EXACT, atol=1e-5, rtol=1e-5)
    found = metric.scores(bench, [source], maps[None])[0]
    most = 0.05 * WEIGHT[LABEL].norm() / EXACT.flatten(1).norm(dim=1)
    assert bool((found > 0.4 * most).all() and (found < most).all())
    assert "only its maps" in metric.refusal(bench, Given("maps", Fixed(EXACT), Fixed(CANVASES)))


def test_pointing_and_mass_count_ties_in_part_and_give_chance_to_a_constant_map() -> None:
    masks = torch.zeros(2, SIDE, SIDE, dtype=torch.bool)
    masks[:, :6, :4] = True
    bench = Bench(MODEL, CANVASES[:2], ["logits:0"] * 2, masks=masks)
    area_ = 24 / 144
    flat, inside, outside = (torch.zeros(2, SIDE, SIDE) for _ in range(3))
    inside[:, 2, 2] = 3.0
    inside[:, 9, 9] = 1.0
    outside[:, 9, 9], outside[:, 2, 2] = 2.0, -5.0
    tied = torch.zeros(2, SIDE, SIDE)
    tied[:, 0, 0], tied[:, 9, 9] = 1.0, 1.0
    maps = torch.stack([flat, inside, outside, tied])
    hits = PointingGame().scores(bench, [], maps)
    torch.testing.assert_close(hits[:, 0], torch.tensor([area_, 1.0, 0.0, 0.5]).double())
    mass = RelevanceMass().scores(bench, [], maps)
    torch.testing.assert_close(mass[:, 0], torch.tensor([area_, 0.75, 0.0, 0.5]).double())
    blind = Bench(MODEL, CANVASES, ["logits:0"] * 3)
    assert "masks" in PointingGame().refusal(blind, Given("maps", Fixed(EXACT), Fixed(CANVASES)))


def test_randomization_tells_what_depends_on_weights_from_what_does_not(bench: Bench) -> None:
    learned, blind = Explained("g", Gradient()), Function("|x|", lambda model, canvases, of: canvases.abs().sum(1))
    maps = torch.stack([one.maps(MODEL, CANVASES, bench.of) for one in (learned, blind)])
    for similarity in ("spearman", "absolute", "ssim"):
        metric = Randomization(similarity, steps=2)
        assert layers(MODEL, 2) == ["last"]
        found = metric.scores(bench, [learned, blind], maps)
        assert float(found[0].abs().max()) < 0.3
        torch.testing.assert_close(found[1], torch.ones(3).double())
    rise = Complexity().scores(bench, [learned, blind], maps)
    assert torch.equal(rise[1], torch.zeros(3).double())
    assert float(rise[0].abs().max()) < 0.2


def test_similarities_of_maps() -> None:
    one = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(4)) - 0.5
    torch.testing.assert_close(alike(one, 3 * one + 1, "spearman"), torch.ones(2).double())
    torch.testing.assert_close(alike(one, -one, "spearman"), -torch.ones(2).double())
    torch.testing.assert_close(alike(one, -one, "absolute"), torch.ones(2).double())
    torch.testing.assert_close(alike(one, -2 * one, "ssim"), torch.ones(2).double())
    assert torch.equal(alike(one, torch.zeros_like(one), "ssim"), torch.zeros(2).double())
    assert torch.equal(alike(one, torch.ones_like(one), "spearman"), torch.zeros(2).double())
    ramp = torch.linspace(0, 1, 10_000).view(1, 100, 100)
    torch.testing.assert_close(entropy(ramp), torch.tensor([100.0]).log().double(), atol=1e-3, rtol=0)
    assert float(entropy(torch.ones(1, 4, 4))) == 0


def test_ssim_is_scikit_images() -> None:
    from skimage.metrics import structural_similarity

    first, second = torch.rand(2, 3, 24, 20, generator=torch.Generator().manual_seed(7)).unbind(0)
    wanted = [
        structural_similarity(
            one.numpy(), two.numpy(), data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for one, two in zip(first.double(), second.double(), strict=True)
    ]
    torch.testing.assert_close(ssim(first, second), torch.tensor(wanted).double(), atol=1e-3, rtol=0)


def test_imputed_pixels_solve_the_published_equations() -> None:
    image = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(2)).double()
    gone = torch.rand(1, 9, 9, generator=torch.Generator().manual_seed(3)) < 0.5
    removal = Imputed(noise=0.0, tolerance=1e-10)
    filled = removal.removed(image, removal.substrate(image, MODEL.modality), gone)
    assert torch.equal(filled[0, 0][~gone[0]], image[0, 0][~gone[0]])
    for row, column in gone[0].nonzero().tolist():
        total, weights = 0.0, 0.0
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                at = row + down, column + right
                if (down, right) != (0, 0) and min(at) >= 0 and max(at) < 9:
                    weight = 1 / 6 if 0 in (down, right) else 1 / 12
                    total, weights = total + weight * float(filled[0, 0][at]), weights + weight
        assert float(filled[0, 0, row, column]) == pytest.approx(total / weights, abs=1e-6)
    everything = torch.ones(1, 9, 9, dtype=torch.bool)
    whole = removal.removed(image, removal.substrate(image, MODEL.modality), everything)
    torch.testing.assert_close(whole, image.mean().expand_as(image))


def test_road_finds_the_pixels_that_decide() -> None:
    canvases = inputs(6, seed=11)
    bench = Bench(MODEL, canvases, top(MODEL, canvases))
    labels = [int(one.partition(":")[2]) for one in bench.of]
    best = torch.stack([exact(one[None], WEIGHT, label)[0] for one, label in zip(canvases, labels, strict=True)])
    road = ROAD(cell=2, shares=(0.1, 0.3))
    found = road.scores(bench, [], torch.stack([best, -best]))
    assert float(found[0].mean()) < 0.5 < float(found[1].mean())


def test_roar_retrains_with_the_users_function() -> None:
    canvases, labels = inputs(8, seed=12), torch.arange(8) % 2
    canvases[:, :, 4:6, 4:6] = labels.float()[:, None, None, None]  # only these tell the label
    seen: list[int] = []

    def train(images, targets, seed):
        seen.append(seed)
        centres = torch.stack([images[targets == label].mean(0) for label in (0, 1)])
        # a nearest-centre classifier that looks where the two centres differ most
        where = (centres[0] - centres[1]).abs()
        weight = (where > 0.9).float()
        return lambda asked: ((asked[:, None] - centres).square() * weight).sum((2, 3, 4)).argmin(1)

    knows, errs = torch.zeros(8, SIDE, SIDE), torch.zeros(8, SIDE, SIDE)
    knows[:, 4:6, 4:6] = 1.0
    errs[:, 0, 0] = 1.0
    bench = Bench(MODEL, canvases, ["logits:0"] * 8)
    roar = ROAR(train, canvases, labels, bench.of, labels, shares=(1 / 36,), seeds=(0, 1), cell=2)
    sources = [Given(name, Fixed(one), Fixed(canvases)) for name, one in (("knows", knows), ("errs", errs))]
    found = roar.scores(bench, sources, torch.stack([knows, errs]))
    assert float(found[0].mean()) == 0.5
    assert float(found[1].mean()) == 1.0
    assert seen == [0, 1, 0, 1]


def test_agreement_of_methods() -> None:
    one = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(1))
    found = agreement({"a": one, "b": 2 * one, "c": -one}, cell=1)
    torch.testing.assert_close(found.spearman[0], torch.tensor([[1.0, 1, -1], [1, 1, -1], [-1, -1, 1]]).double())
    assert float(found.shared[0, 0, 1]) == 1
    assert float(found.shared[0, 0, 2]) == 0
    with pytest.raises(NumericsError):
        agreement({"a": one})


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_scales_and_shifts_change_no_order(seed: int, scale: float) -> None:
    bench = Bench(MODEL, CANVASES, ["logits:0"] * 3)
    credit = torch.randn(1, 3, 36, generator=torch.Generator().manual_seed(seed)).double()
    ranks = bench.ranks(credit)
    assert torch.equal(bench.ranks(scale * credit + 1), ranks)
    assert torch.equal(bench.ranks(-credit), 35 - ranks)
    assert torch.equal(ranks.sort(2).values, torch.arange(36).expand(1, 3, -1))


def test_what_does_not_fit_is_refused(bench: Bench) -> None:
    with pytest.raises(NumericsError, match="tile"):
        scored(Deletion(steps=6, cell=5), bench, EXACT)
    with pytest.raises(NumericsError, match="at least 2"):
        Deletion(steps=1)
    with pytest.raises(NumericsError, match="addresses"):
        Bench(MODEL, CANVASES, ["logits:0"])
    sums = Bench(MODEL, CANVASES, ["logits:0 - logits:1"] * 3)
    with pytest.raises(NumericsError, match="no logit"):
        scored(Deletion(steps=6, cell=2), sums, EXACT)
