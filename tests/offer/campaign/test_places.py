"""Where a part of a definition stands, in the campaign file and in the CSV files beside it."""

from tidegate.offer.campaign.places import Places

TEXT = """[campaign]
goods_file = "goods.csv"

[returns]
days = 7

[[goods]]
sku = "A"
"""
GOODS = 'sku,name\nB,one\n\n"C","two\nlines"\nD,three\n'


def test_places_of_a_file_with_rows_beside_it() -> None:
    places = Places(TEXT, file="festival.toml", open_file={"goods.csv": GOODS}.__getitem__)
    assert places.of(("returns", "days")) == ("festival.toml", 5)
    assert places.of(("goods", 0, "list_price")) == ("festival.toml", 7)
    assert [places.of(("goods", place, "sku")) for place in (1, 2, 3)] == [
        ("goods.csv", 2),
        ("goods.csv", 4),
        ("goods.csv", 6),
    ]
    assert places.of(("promotion", 2)) == ("festival.toml", 1)
