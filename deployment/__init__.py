"""What the Modal apps share: names, pinned requirements, images, volume and secrets.

Imported by `*/modal_app.py` alone, and shipped with every image.
"""
