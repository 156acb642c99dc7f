"""The first stage: training examples from scripts.

`python -m data_prep --show NAME` reads a show's scripts, drops what is not a speech, cuts each
episode into windows, and writes the windows as chat examples. A report lists what was dropped and
why.
"""

from nothing_gpt.lazy_app import lazy_app

__getattr__, __dir__ = lazy_app(__name__)
