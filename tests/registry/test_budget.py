"""What a client may spend on reads of PAI."""

import pytest

from paiview.registry import budget
from paiview.registry.budget import BURST_SECONDS, Budget, BudgetError, client_of


class Moment:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_client_spends_what_it_has_saved_and_then_its_rate() -> None:
    clock = Moment()
    spent = Budget(10.0, clock)
    spent.check("a")
    spent.spend("a", int(10 * BURST_SECONDS))
    spent.check("a")
    spent.spend("a", 10)
    with pytest.raises(BudgetError) as caught:
        spent.check("a")
    assert caught.value.retry_after == pytest.approx(1.0)
    clock.seconds += 1.0
    spent.check("a")


def test_a_client_that_overspends_leaves_the_others_theirs() -> None:
    spent = Budget(10.0, Moment())
    spent.spend("a", 100_000)
    with pytest.raises(BudgetError):
        spent.check("a")
    spent.check("b")


def test_without_a_rate_there_is_no_limit() -> None:
    unlimited = Budget(0.0, Moment())
    unlimited.spend("a", 1_000_000)
    unlimited.check("a")


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_CLIENTS", 2)
    spent = Budget(1.0, Moment())
    for client in ("a", "b", "c"):
        spent.spend(client, 1_000)
    spent.check("a")
    with pytest.raises(BudgetError):
        spent.check("b")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("not an address", "not an address", True),
        ("a:b", "a:c", False),
    ],
)
def test_a_host_is_one_client(one: str, other: str, same: bool) -> None:
    assert (client_of(one) == client_of(other)) is same
