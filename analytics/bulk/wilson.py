"""How sure a win rate is."""

from math import sqrt

Z95 = 1.959963984540054  # the normal distribution's 97.5th percentile


def interval(won: int, closed: int, z: float = Z95) -> tuple[float, float] | tuple[None, None]:
    """Wilson's score interval for `won` of `closed`, 95 % by default; (None, None) where nothing has closed.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927), 209–212. Unlike the textbook p ± z·√(p(1 − p)/n) it is right for few deals and
    for rates near 0 and 1.
    """
    if not closed:
        return None, None
    rate = won / closed
    centre = (rate + z * z / (2 * closed)) / (1 + z * z / closed)
    reach = z / (1 + z * z / closed) * sqrt(rate * (1 - rate) / closed + z * z / (4 * closed * closed))
    return (0.0 if not won else centre - reach), (1.0 if won == closed else centre + reach)
