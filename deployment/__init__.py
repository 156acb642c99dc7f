"""The parts that the Modal apps share: images, volume, secrets and the outcomes of jobs.

Only the `modal_app.py` of a stage imports this package. Every image contains it.
"""
