"""What stays until the process ends, set apart from what the collector of garbage looks through."""

import gc
from functools import cache


@cache
def set_lasting_objects_apart() -> None:
    """Once pages are loaded, let the collector pass over all that there is.

    Streamlit collects after each run of a page: to walk the 175,000 objects of libraries took it a
    tenth of a second each time.
    """
    gc.collect()
    gc.freeze()
