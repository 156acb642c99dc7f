"""Scripts in, training examples out: the first stage.

`python -m data_prep --show NAME` reads a show's scripts, drops what is no speech and says why,
cuts each episode into windows, and writes them as chat examples with a report.
"""
