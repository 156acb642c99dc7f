from deployment.requirements import read_requirements


def test_groups_bring_the_groups_that_they_include() -> None:
    found = read_requirements("local")
    assert {"torch", "gradio", "typer"} <= {pin.split("==")[0] for pin in found}
    assert len(found) == len(set(found))
