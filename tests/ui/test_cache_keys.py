"""Keys of caches that all sessions share: different parts must not have the same key."""

import numpy as np

from paiview.evaluation.frames import Pair
from paiview.ui.cache_keys import key_of


def test_different_parts_have_different_keys_and_equal_parts_the_same() -> None:
    numbers = np.arange(10_000)
    parts = [
        ("a", "b"),
        ("a, b",),
        ("a', 'b",),
        (("a", "b"),),
        ("a", None),
        ("a", "None"),
        ("a", 1),
        ("a", "1"),
        (Pair("a", "b"),),
        (Pair("b", "a"),),
        ("\udc80",),
        ("\ufffd",),
        (numbers,),
        (numbers[::-1],),
        (np.delete(numbers, 5_000),),
        (numbers.reshape(100, 100),),
        (np.array([1], dtype=np.int64),),
        (np.array([1, 0], dtype=np.int32),),
        (),
    ]
    keys = [key_of(*each) for each in parts]
    assert len({*keys}) == len(parts)
    assert key_of(numbers.copy(), Pair("a", "b")) == key_of(numbers, Pair("a", "b"))
