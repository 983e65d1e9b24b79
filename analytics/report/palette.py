"""Colours and measures of the house: few, and far enough apart in lightness to survive a grey printer.

Lightness (CIE L*): ink 20, accent 44, warm 71, mist 91; so two series never print as the same grey.
"""

from typing import Final

INK: Final = "#14304F"  # headings, first series, cover
ACCENT: Final = "#2B6F99"  # second series, marks
WARM: Final = "#E3A33B"  # what wants attention
TEXT: Final = "#22303C"
QUIET: Final = "#5C6B78"  # captions, axis labels
LINE: Final = "#C6CFD8"
MIST: Final = "#EEF2F6"  # bands behind tables and key figures
WASH: Final = "#FFF6E5"  # behind a warning
WHITE: Final = "#FFFFFF"
SERIES: Final = (INK, WARM, ACCENT)
