"""Gabors: fit the first filters of a model with Gabor functions, and compare them with hand-written detectors."""

import math
from dataclasses import dataclass

import numpy
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from hooke.addresses import Place
from hooke.errors import AddressError, NumericsError
from hooke.models.layers import index
from hooke.models.model import Model
from hooke.models.taps import tapped
from hooke.numeric.seeds import stream

EXACT = 1e-9
"""Half the share of a kernel's energy that may be left over for a fit to count as exact."""

Kernels = Float[Tensor, "filter channel height width"]
Array = NDArray[numpy.float64]


@dataclass(frozen=True)
class GaborFit:
    """A Gabor in colour: Gaussian times cosine, times one weight for each input channel.

    `orientation` that of the stripes (degrees, anticlockwise from horizontal), `frequency` in cycles a pixel, `phase`
    in degrees at the Gaussian's centre, `sigma_along` and `sigma_across` the stripes in pixels, `right` and `up` from
    the kernel's middle in pixels, `colour` the weights (of length 1), `amplitude` the height. `r2` is the share of the
    kernel's energy that the fit explains; `energy` the kernel's length.
    """

    orientation: float
    frequency: float
    phase: float
    sigma_along: float
    sigma_across: float
    right: float
    up: float
    colour: tuple[float, ...]
    amplitude: float
    r2: float
    energy: float


def linear_kernels(model: Model, layer: str) -> Kernels:
    """What each channel of a layer is to first order at mid-grey: the gradient of its middle neuron by the canvas, cut
    to the receptive field. Of a first convolution these are its weights (over the model's deviations).

    Errors: AddressError for a layer without channels, height and width, or that sees the whole input.
    """
    row = model.layer(layer)
    if row.channels is None or row.height is None or row.width is None or row.receptive_field is None:
        raise AddressError(f"the kernels of {layer}", "it takes a layer of channels with a limited receptive field")
    position = (row.height // 2, row.width // 2)
    canvas = torch.full((1, *model.modality.shape), 0.5, requires_grad=True)
    found = []
    with torch.enable_grad(), tapped(model, [layer]) as taps:
        values = taps(model.modality.normalize(canvas).to(model.device, model.dtype))[layer]
        neurons = values[index(row, Place(layer, None, position))][0]
        for neuron in neurons:
            (gradient,) = torch.autograd.grad(neuron, canvas, retain_graph=True)
            found.append(gradient[0])
    (top, bottom), (left, right) = (
        (max(0, first), min(size, past))
        for (first, past), size in zip(model.layers.region(layer, position), model.modality.shape[1:], strict=True)
    )
    return torch.stack(found)[:, :, top:bottom, left:right]


def fit_gabors(kernels: Kernels, *, starts: int = 6, seed: int = 0) -> list[GaborFit]:
    """The Gabor that explains each kernel best: least squares from several starts around the peak of its spectrum.

    Given place, size, orientation and frequency, the best phase and colour follow from a linear fit (variable
    projection). A kernel without energy has a fit of `r2` 0. Compare with fits of `random_like` kernels: small kernels
    are fitted well by anything. Errors: NumericsError for NaN. Source of the model: Daugman, J. Opt. Soc. Am. A 1985.
    """
    if not bool(torch.isfinite(kernels).all()):
        raise NumericsError("fitting Gabors", "the kernels hold NaN or infinity")
    return [_fit(kernel.double().numpy(), starts, seed) for kernel in kernels.detach()]


def random_like(kernels: Kernels, *, seed: int = 0) -> Kernels:
    """The control: as many kernels of Gaussian noise, of the same lengths."""
    noise = torch.randn(kernels.shape, generator=stream(seed, "random kernels"))
    lengths: Tensor = kernels.detach().flatten(1).norm(dim=1) / noise.flatten(1).norm(dim=1)
    return noise * lengths[:, None, None, None]


@dataclass(frozen=True)
class _Grid:
    x: Array
    y: Array


def _grid(height: int, width: int) -> _Grid:
    x = numpy.arange(width) - (width - 1) / 2
    y = (height - 1) / 2 - numpy.arange(height)
    return _Grid(numpy.tile(x, (height, 1)).ravel(), numpy.repeat(y, width))


def _fit(kernel: Array, starts: int, seed: int) -> GaborFit:
    from scipy.optimize import least_squares

    channels, height, width = kernel.shape
    energy = float(numpy.linalg.norm(kernel))
    if energy < 1e-12:
        return GaborFit(0, 0, 0, 1, 1, 0, 0, (0.0,) * channels, 0, 0, energy)
    grid, target = _grid(height, width), kernel.reshape(channels, -1) / energy
    side = max(height, width)
    lower = [-width / 2, -height / 2, -math.inf, math.log(0.3), math.log(0.3), 0.0]
    upper = [width / 2, height / 2, math.inf, math.log(2 * side), math.log(2 * side), 0.5]
    best = None
    for start in _starts(target, grid, (height, width), starts, seed):
        inside = numpy.clip(start, numpy.array(lower) + 1e-6, numpy.array(upper) - 1e-6)
        found = least_squares(lambda p: _projected(p, target, grid)[0], inside, bounds=(lower, upper), max_nfev=200)
        if best is None or found.cost < best.cost:
            best = found
        if best.cost < EXACT:
            break
    assert best is not None
    return _described(best.x, target, grid, energy)


def _starts(target: Array, grid: _Grid, shape: tuple[int, int], count: int, seed: int) -> list[Array]:
    """Where to begin: at the kernel's centre of energy, with the strongest waves of its spectrum, at several widths."""
    weight = (target**2).sum(0)
    place = (weight @ grid.x / weight.sum(), weight @ grid.y / weight.sum())
    spread = math.sqrt(max(float(weight @ ((grid.x - place[0]) ** 2 + (grid.y - place[1]) ** 2)) / 2, 0.1))
    fine = 32
    power = (numpy.abs(numpy.fft.fft2(target.reshape(-1, *shape), (fine, fine))) ** 2).sum(0)
    down, right = numpy.meshgrid(numpy.fft.fftfreq(fine), numpy.fft.fftfreq(fine), indexing="ij")
    power[right < 0] = 0
    dice = numpy.random.default_rng(seed)
    found = []
    for number in range(count):
        row, column = numpy.unravel_index(int(power.argmax()), power.shape)
        wave = (right[row, column], -down[row, column])
        frequency = min(math.hypot(*wave), 0.49)
        sigma = math.log(spread * (1.0, 1.6, 0.7)[number % 3])
        found.append(numpy.array([*place, math.atan2(wave[1], wave[0]), sigma, sigma, frequency]))
        if number % 2:
            near = (numpy.abs(right - wave[0]) < 0.1) & (numpy.abs(-down - wave[1]) < 0.1)
            power = numpy.where(near, 0.0, power) + 1e-12 * dice.random(power.shape)
    return found


def _parts(parameters: Array, grid: _Grid) -> Array:
    """The Gaussian times cosine and sine: [2, pixel]."""
    right, up, across, along_log, across_log, frequency = parameters
    x, y = grid.x - right, grid.y - up
    u = x * math.cos(across) + y * math.sin(across)  # across the stripes
    v = y * math.cos(across) - x * math.sin(across)
    bell = numpy.exp(-(u**2) / (2 * math.exp(2 * across_log)) - v**2 / (2 * math.exp(2 * along_log)))
    turn = 2 * math.pi * frequency * u
    return numpy.stack([bell * numpy.cos(turn), bell * numpy.sin(turn)])


def _projected(parameters: Array, target: Array, grid: _Grid) -> tuple[Array, Array, float]:
    """What the best colour and phase leave unexplained; that colour (scaled); and that phase.

    All channels share one phase: the best rank-one approximation of their weights for cosine and sine.
    """
    parts = _parts(parameters, grid)
    orthogonal, triangle = numpy.linalg.qr(parts.T)
    held = target @ orthogonal  # [channel, 2]: weights in an orthonormal basis
    left, sizes, turned = numpy.linalg.svd(held, full_matrices=False)
    rank = numpy.outer(left[:, 0] * sizes[0], turned[0])
    mix = numpy.linalg.lstsq(triangle, turned[0], rcond=None)[0]  # of cosine and sine
    height = math.hypot(mix[0], mix[1])
    return (target - rank @ orthogonal.T).ravel(), left[:, 0] * sizes[0] * height, math.atan2(mix[1], mix[0])


def _described(parameters: Array, target: Array, grid: _Grid, energy: float) -> GaborFit:
    rest, colour, phase = _projected(parameters, target, grid)
    right, up, across, along_log, across_log, frequency = (float(value) for value in parameters)
    length = max(float(numpy.linalg.norm(colour)), 1e-30)
    sign = -1.0 if colour[numpy.abs(colour).argmax()] < 0 else 1.0
    degrees, turns = math.degrees(phase) + (180 if sign < 0 else 0), math.degrees(across) % 360
    if not 90 <= turns < 270:  # the same stripes, seen from the other side
        turns, degrees = (turns + 180) % 360, -degrees
    return GaborFit(
        orientation=turns - 90, frequency=frequency, phase=degrees % 360, sigma_along=math.exp(along_log),
        sigma_across=math.exp(across_log), right=right, up=up, colour=tuple((sign * colour / length).tolist()),
        amplitude=length * energy, r2=1 - float(rest @ rest), energy=energy,
    )  # fmt: skip
