"""The tile sizes that are drawn."""

import pytest

from benchmarks.vllm.lora_tiles import PRODUCTS, Product, draw


@pytest.mark.parametrize("product", PRODUCTS, ids=str)
def test_the_sizes_drawn_are_many_and_leave_no_part_of_a_sum_empty(product: Product) -> None:
    drawn = draw(product, 26)
    assert len(drawn) >= 20
    assert drawn == draw(product, 26)
    for tiles in drawn:
        part = (tiles["block_k"] or 0) * (tiles.get("split_k") or 1)
        assert not product.shrink or product.sizes[0] % part == 0
