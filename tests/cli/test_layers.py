"""`hooke layers` on the default model and on one with random weights."""

FIELDS = {
    "name", "kind", "axes", "channels", "height", "width", "stride", "receptive_field", "parameters",
}  # fmt: skip


def test_json_of_the_default_model(hooke) -> None:
    layers = hooke("layers", "efficientnet-lite0", "--json").json
    assert all(set(layer) >= FIELDS for layer in layers)
    assert layers[0]["name"] == "input"
    assert layers[-1]["name"] == "logits"
    assert layers[-1]["channels"] == 1000
    activations = [layer for layer in layers if layer["activation"]]
    assert len(activations) == 33
    assert sum(layer["channels"] for layer in activations) == 19_200


def test_table_and_reasons(hooke) -> None:
    answer = hooke("layers", "timm:vit_tiny_patch16_224?pretrained=false", "--all")
    assert answer.code == 0
    assert "blocks.0" in answer.out
    assert "no address because" in answer.out
    assert "token" not in answer.err


def test_effective_receptive_fields_are_measured_where_asked(hooke) -> None:
    layers = hooke("layers", "timm:resnet10t?pretrained=false", "--effective", "--json").json
    measured = {layer["name"]: layer["effective_receptive_field"] for layer in layers}
    assert measured["input"] is None
    assert measured["logits"] is None
    for layer in layers:
        field = measured[layer["name"]]
        assert field is None or 1 <= field <= (layer["receptive_field"] or 224)
    assert measured["conv1.2" if "conv1.2" in measured else "act1"] < measured["layer4.0.act1"]
