"""What every stage shares: shows, script lines, prompts, files and errors.

Standard library only, so that any stage, image or script can import it.
"""
