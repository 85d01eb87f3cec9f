"""Drawing real units of the default model: objectives rise, pictures are kept, found again and never mixed up."""

import json

import pytest
import torch

from hooke.errors import AddressError, NumericsError
from hooke.models.recording import activations
from hooke.storage.store import Store
from hooke.visualization import Ascent, Fourier, Still, draw, question, recall, visualize

LAYER = "blocks.2.0.bn2.act"
QUICK = Ascent(Fourier(size=64), steps=12)


def test_a_few_steps_raise_every_kind_of_objective(default_model):
    side = 224
    for address in (f"{LAYER}:7", f"{LAYER}:7@3,4", f"{LAYER}:7 - 0.5*{LAYER}:8", "bn1.act", 'logits:"tabby"'):
        moments = list(draw(default_model, [address], by=Ascent(Fourier(size=side), steps=6), every=3))
        first, last = moments[0][0], moments[-1][0]
        assert (first.step, last.step) == (0, 6)
        assert last.response > first.response + 0.01, address
        assert 0 <= last.image.min() < last.image.max() <= 1


def test_the_response_is_that_of_the_clean_picture_in_the_model_itself(default_model):
    picture = visualize(default_model, f"{LAYER}:7", by=QUICK)
    batch = default_model.modality.normalize(picture.image[None])
    values = activations(default_model, batch, [LAYER])[LAYER][0, 7]
    assert picture.response == pytest.approx(values.mean().item(), abs=1e-3)
    assert picture.peak == pytest.approx(values.max().item(), abs=1e-3)


def test_the_same_bytes_alone_and_among_others(default_model):
    alone = visualize(default_model, f"{LAYER}:7", by=QUICK)
    among = visualize(default_model, [f"{LAYER}:{channel}" for channel in (1, 2, 3, 4, 5, 7)], by=QUICK)
    assert torch.equal(alone.image, among[-1].image)
    assert not torch.equal(alone.image, visualize(default_model, f"{LAYER}:7", by=QUICK, seed=1).image)


def test_what_was_drawn_once_is_read_back(default_model, tmp_path):
    store = Store(tmp_path)
    first = visualize(default_model, f"{LAYER}:7", by=QUICK, store=store)
    again = list(draw(default_model, [f"{LAYER}:7"], by=QUICK, store=Store(tmp_path)))
    assert len(again) == 1
    assert torch.equal(again[0][0].image, first.image)
    assert again[0][0].provenance == first.provenance
    assert recall(default_model, f"{LAYER}:7", store, by=QUICK).response == first.response
    assert recall(default_model, f"{LAYER}:7", store, by=QUICK, seed=1) is None


def test_provenance_says_how_a_picture_was_made(default_model):
    made = question(default_model, 'logits:"tabby"', by=QUICK, seed=3)
    assert (made.address, made.seed, made.model, made.dtype) == ("logits:281", 3, default_model.fingerprint, "float32")
    method = json.loads(made.to_json())["method"]
    assert (method["type"], method["steps"], method["parametrization"]["size"]) == ("Ascent", 12, 64)
    assert made.key == question(default_model, "logits:281", by=QUICK, seed=3).key
    assert made.key != question(default_model, "logits:281", by=Ascent(Fourier(size=64), Still(), 12), seed=3).key


def test_a_list_may_repeat_an_address_and_mix_layers(default_model):
    wanted = [f"{LAYER}:7", "bn1.act:3", f"{LAYER}:7"]
    pictures = visualize(default_model, wanted, by=QUICK)
    assert [picture.address for picture in pictures] == wanted
    assert torch.equal(pictures[0].image, pictures[2].image)


def test_abandoned_drawing_leaves_no_hook(default_model):
    drawing = draw(default_model, [f"{LAYER}:9"], by=QUICK, every=2)
    next(drawing)
    drawing.close()
    assert not any(module._forward_hooks for module in default_model.module.modules())


def test_what_cannot_be_drawn_is_refused_in_words(default_model):
    with pytest.raises(AddressError, match=r"blocks\.2\.0\.bn2\.act"):
        visualize(default_model, "blocks.2.0.bn2.axt:7", by=QUICK)
    with pytest.raises(NumericsError, match=r"no such position(.|\n)*size=224"):
        visualize(default_model, f"{LAYER}:7@20,20", by=QUICK)
