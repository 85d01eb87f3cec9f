"""A model once opened: its logits, its predictions, its addresses, and what it says when something does not fit."""

import threading

import pytest
import torch
from torch import Tensor, nn

import hooke
from hooke.addresses import Edge, Place, parse
from hooke.errors import AddressError, ModelError, NumericsError
from hooke.modalities.image import Image, photographs
from hooke.models.model import Model

IMAGE = Image(8, 8, (0.5,) * 3, (0.5,) * 3)
LABELS = ("tabby, tabby cat", "crane", "dog", "crane")


class Toy(nn.Module):
    """Logits that are known by hand: the mean of the normalized input, times 1, 2, 3, 4."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        self.act = nn.ReLU()
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(2, 4, bias=False)
        with torch.no_grad():
            self.conv.weight.fill_(1 / 3)
            self.head.weight.copy_(torch.arange(1.0, 5.0)[:, None].expand(4, 2) / 2)

    def forward(self, batch: Tensor) -> Tensor:
        return self.head(self.drop(self.act(self.conv(batch)).mean((2, 3))))


def opened(module: nn.Module, labels: tuple[str, ...] = (), modality: Image = IMAGE, **options: str) -> Model:
    return hooke.open(module, modality=modality, labels=labels, **options)


@pytest.fixture(scope="module")
def default() -> Model:
    return hooke.open()


@pytest.fixture
def toy() -> Model:
    return opened(Toy(), LABELS)


def test_logits_are_those_of_evaluation_and_every_flag_is_restored(toy: Model) -> None:
    toy.module.train()
    toy.module.act.eval()
    flags = [part.training for part in toy.module.modules()]
    logits = toy(toy.modality.normalize(torch.ones(2, 3, 8, 8)))
    torch.testing.assert_close(logits, torch.tensor([[1.0, 2.0, 3.0, 4.0]] * 2))
    assert [part.training for part in toy.module.modules()] == flags
    assert all(parameter.requires_grad for parameter in toy.module.parameters())


def test_logits_have_gradients(toy: Model) -> None:
    batch = torch.ones(1, 3, 8, 8, requires_grad=True)
    toy(batch)[0, 3].backward()
    torch.testing.assert_close(batch.grad, torch.full((1, 3, 8, 8), 4 / (3 * 64)))
    assert toy.module.conv.weight.grad is None


def test_predictions_are_the_softmax_likeliest_first(toy: Model) -> None:
    top = toy.predict(torch.ones(3, 8, 8), count=2)
    expected = torch.tensor([1.0, 2.0, 3.0, 4.0]).softmax(0)
    assert [(found.index, found.label) for found in top] == [(3, "crane"), (2, "dog")]
    assert [found.probability for found in top] == pytest.approx([float(expected[3]), float(expected[2])])
    assert len(toy.predict(torch.ones(3, 8, 8), count=99)) == 4
    assert opened(Toy()).predict(torch.ones(3, 8, 8), count=1)[0].label == "3"


def test_the_default_model_sees_the_cat(default: Model) -> None:
    top = default.predict(default.modality.canvas(photographs()[0][1]), count=3)
    assert {"tabby, tabby cat", "tiger cat", "Egyptian cat"} & {found.label for found in top}
    assert 0 < top[0].probability < 1


def test_the_default_model_has_its_activations(default: Model) -> None:
    assert (len(default.layers.activations), sum(layer.channels for layer in default.layers.activations)) == (33, 19200)
    assert (default.layers[0].name, default.layers[-1].name) == ("input", "logits")
    assert default.layers is default.layers
    assert default.parameters == 4_652_008


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("blocks.4.1.bn2.act:312@5,7", Place("blocks.4.1.bn2.act", 312, (5, 7))),
        ("blocks.4.1.bn2.act", Place("blocks.4.1.bn2.act")),
        ('logits:"tabby"', Place("logits", 281)),
        ('logits:"Maillot, tank suit"', Place("logits", 639)),
        ('2*logits:"tabby" - logits:3', parse("2*logits:281 - logits:3")),
        ('logits:"tabby" + logits:"tabby cat"', parse("2*logits:281")),
        ('bn1.act:3 -> logits:"tabby"', Edge(Place("bn1.act", 3), Place("logits", 281))),
    ],
)
def test_addresses_are_resolved(default: Model, text: str, address: object) -> None:
    assert default.resolve(text) == address
    assert default.resolve(default.resolve(text)) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blocks.4.1.bn2.acct:3", "blocks.4.1.bn2.act"),
        ("blocks.4.1.bn2.act:672", "0 to 671"),
        ("blocks.4.1.bn2.act:0@14,0", "0 to 13"),
        ("blocks.4.1.bn2.act:0@5", "2 position axes"),
        ("blocks.4.1.bn2.act:0@cls", "no position 'cls'"),
        ('blocks.4.1.bn2.act:"tabby"', "only the logits have labels"),
        ('logits:"crane"', "logits:134 .*logits:517"),
        ('logits:"maillot"', "logits:638 .*logits:639"),
        ('logits:"tabbby"', "tabby"),
        ("logits:1000", "0 to 999"),
        ("logits:0@1,1", "0 position axes"),
        ("2*blocks.4.1.bn2.act:1 - nonsense:3", "nonsense"),
        ("bn1.act:3 -> nonsense:1", "nonsense"),
    ],
)
def test_addresses_that_name_nothing_are_refused(default: Model, text: str, said: str) -> None:
    with pytest.raises(AddressError, match=said):
        default.resolve(text)


def test_a_class_token_is_the_first_token() -> None:
    vit = hooke.open("timm:test_vit?pretrained=false")
    assert vit.resolve("blocks.0:7@cls") == Place("blocks.0", 7, (0,))
    assert vit.resolve("blocks.0:7@3") == Place("blocks.0", 7, (3,))


def test_a_layer_is_found_or_the_nearest_names_are_given(toy: Model) -> None:
    assert toy.layer("act").channels == 2
    with pytest.raises(AddressError) as refusal:
        toy.layer("atc")
    assert "act" in refusal.value.choices


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (3, 8, 8), (1, 3, 8)])
def test_a_batch_that_does_not_fit_names_what_the_model_takes(toy: Model, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"\[batch, 3, height, width\]"):
        toy(torch.zeros(shape))


def test_a_modality_that_does_not_fit_names_the_channels() -> None:
    grey = opened(Toy(), modality=Image(8, 8, (0.5,), (0.5,), channels=1))
    with pytest.raises(ModelError, match="first convolution takes 3 channels"):
        _ = grey.layers
    with pytest.raises(ModelError, match="first convolution takes 3 channels"):
        grey(torch.zeros(1, 1, 8, 8))
    small = opened(nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4)))
    with pytest.raises(ModelError, match=r"\(2, 3, 8, 8\)"):
        _ = small.layers


def test_labels_that_do_not_fit_are_counted() -> None:
    wrong = opened(Toy(), ("cat", "dog"))
    with pytest.raises(ModelError, match="2 labels were given for 4 classes"):
        wrong.predict(torch.ones(3, 8, 8))
    with pytest.raises(ModelError, match="2 labels were given for 4 classes"):
        _ = wrong.layers


def test_what_is_no_classifier_says_so() -> None:
    with pytest.raises(ModelError, match="no classifier"):
        opened(nn.Conv2d(3, 4, 3)).predict(torch.ones(3, 8, 8))


def test_logits_are_found_in_what_the_module_returns() -> None:
    for wrap in (lambda x: {"features": x[:, :1], "logits": x}, lambda x: (x, x[:1]), lambda x: {"out": x}):
        module = Toy()
        module.register_forward_hook(lambda _, __, output, wrap=wrap: wrap(output))
        assert opened(module).predict(torch.ones(3, 8, 8))[0].index == 3


def test_a_model_without_logits_says_what_it_returns() -> None:
    module = Toy()
    module.register_forward_hook(lambda *_: [{"boxes": torch.zeros(0, 4)}])
    with pytest.raises(ModelError, match="returns list"):
        opened(module)(torch.ones(1, 3, 8, 8))


def test_nan_is_traced_to_the_layer_where_it_appears(toy: Model) -> None:
    with pytest.raises(NumericsError, match="input"):
        toy.predict(torch.full((3, 8, 8), torch.nan))
    with torch.no_grad():
        toy.module.head.weight[1, 1] = torch.inf
    with pytest.raises(NumericsError, match="first appears at the layer head"):
        toy.predict(torch.ones(3, 8, 8))
    with torch.no_grad():
        toy.module.conv.weight[0] = torch.nan
    with pytest.raises(NumericsError, match="first appears at the layer conv"):
        toy.predict(torch.ones(3, 8, 8))


def test_threads_share_a_model() -> None:
    model = opened(Toy().train())
    wrong: list[object] = []

    def look(level: float) -> None:
        for _ in range(50):
            logits = model(torch.full((1, 3, 8, 8), level))
            if not torch.allclose(logits, level * torch.tensor([[1.0, 2.0, 3.0, 4.0]])):
                wrong.append(logits)

    threads = [threading.Thread(target=look, args=(level,)) for level in (1.0, 2.0, 3.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(part.training for part in model.module.modules())


def test_another_form_of_the_module_keeps_the_name_and_the_fingerprint(toy: Model) -> None:
    other = toy.with_module(Toy())
    assert (other.fingerprint, other.name, other.labels) == (toy.fingerprint, toy.name, toy.labels)
    assert other.layers is toy.layers
