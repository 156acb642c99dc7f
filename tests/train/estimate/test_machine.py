import pytest

from train.estimate.machine import Machine, find_machine, find_priced


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("Tesla T4", "T4"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA A10G", "A10"),
        ("NVIDIA A100-SXM4-80GB", "A100-80GB"),
        ("NVIDIA A100-SXM4-40GB", None),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA GeForce RTX 4090", None),
    ],
)
def test_a_drivers_name_finds_its_price(device: str, name: str | None) -> None:
    found = find_priced(device)
    assert (found.name if found else None) == name


def test_time_costs_what_the_cards_cost() -> None:
    assert Machine("NVIDIA L4", 2, gpu=True).cost(1800) == pytest.approx(0.80)
    assert Machine("NVIDIA GeForce RTX 4090", 1, gpu=True).cost(1800) is None
    assert Machine("x86_64", 2, gpu=False).cost(1800) is None


def test_this_machine_has_a_name_and_cores_or_gpus() -> None:
    machine = find_machine()
    assert machine.name
    assert machine.count > 0
