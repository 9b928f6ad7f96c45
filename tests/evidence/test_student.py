"""Student's t against scipy."""

import pytest
from scipy import stats  # type: ignore[import-untyped]

from paiview.evidence.student import t_quantile, two_sided_probability

FREEDOMS = (1, 2, 3, 4, 5, 10, 19, 48, 49, 200)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("t", [0.0, 1e-3, 0.1, -1.0, 2.5, -12.0, 300.0])
def test_the_probability_is_that_of_scipy(t: float, freedom: int) -> None:
    assert two_sided_probability(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), abs=1e-10)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("level", [0.1, 0.5, 0.9, 0.95, 0.99, 0.9999])
def test_the_quantile_is_that_of_scipy(level: float, freedom: int) -> None:
    assert t_quantile(level, freedom) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=1e-8)
