"""The names of published files are those that the page asks for: web/src/lib/address.test.ts has the same list."""

from hooke.publish.names import canonical, file_of, fnv


def test_the_file_of_a_request() -> None:
    assert file_of("/api/model") == "data/model.b402747c.json"
    assert file_of("/api/images/0a/dictionary?layer=blocks.4.1&count=8") == (
        "data/images-0a-dictionary-count=8-layer=blocks.4.1.43f1e7d6.json"
    )
    assert len(file_of(f"/api/layer?layer={'x' * 200}%20é")) == len("data/.12345678.json") + 80


def test_the_order_of_parameters_and_their_quotes_do_not_matter() -> None:
    assert canonical("/api/a%20b?of=3&at=1%2C2") == "/api/a b?at=1,2&of=3"
    assert canonical("/api/x?") == "/api/x"
    assert file_of("/api/x?b=2&a=1") == file_of("/api/x?a=1&b=2")


def test_the_hash_is_the_published_one() -> None:
    # http://www.isthe.com/chongo/tech/comp/fnv/: FNV-1a, 32 bits, of "", "a" and "foobar".
    assert [fnv(text) for text in ("", "a", "foobar")] == [0x811C9DC5, 0xE40C292C, 0xBF9CF968]
