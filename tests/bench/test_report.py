"""Tables that the measurements print."""

from rich.console import Console

from bench.report import rows_table


def test_a_table_has_the_named_columns_in_their_order() -> None:
    rows = [
        {"attack": "pgd_e2", "n": 18, "share": 0.94444, "peer": "jpeg"},
        {"attack": "dag", "n": 2, "share": 1.0, "peer": "none"},
    ]
    console = Console(width=80)
    with console.capture() as said:
        console.print(rows_table("Attacks", rows, ("attack", "share", "n")))
    lines = said.get().splitlines()
    assert [line.split() for line in lines if "pgd_e2" in line] == [
        ["│", "pgd_e2", "│", "0.9444", "│", "18", "│"]
    ]
    assert "peer" not in said.get()
