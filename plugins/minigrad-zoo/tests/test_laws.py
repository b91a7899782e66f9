"""Every component of the zoo keeps every law, at a hundredth of the tolerance that authors get."""

from collections.abc import Callable

import minigrad_zoo

from minigrad.testing import parametrize_with_checks


@parametrize_with_checks([getattr(minigrad_zoo, name) for name in minigrad_zoo.__all__], atol=1e-7, rtol=1e-5)
def test_law(check: Callable[[], None]):
    check()
