"""An episode as one script, with the headings and outlines of its scenes."""

from dataclasses import replace

from demo.formats import plain_text, screenplay
from demo.scene.episode import Episode
from demo.scene.scene import Scene
from script_formats.fdx import write_fdx
from script_formats.fountain_writer import write_fountain
from script_formats.screenplay import Screenplay


def export_fountain(episode: Episode) -> str:
    """Write an episode as Fountain, its outlines as synopses."""
    return write_fountain(_to_screenplay(episode))


def export_fdx(episode: Episode) -> str:
    """Write an episode as FDX, which leaves out the outlines."""
    return write_fdx(_to_screenplay(episode))


def export_text(episode: Episode) -> str:
    """Write an episode as plain text, each scene under its heading."""
    title = plain_text.write_title(episode.title)
    parts = [f"{title}\n"] if title else []
    for number, scene in enumerate(episode.arrange(), 1):
        heading = f"{number}. {scene.direction.setting}"
        untitled = scene.with_direction(replace(scene.direction, setting=""))
        parts.append(plain_text.write(untitled, heading))
    return "\n".join(parts)


def _to_screenplay(episode: Episode) -> Screenplay:
    scenes = episode.arrange()
    everything = Scene(tuple(entry for scene in scenes for entry in scene.entries))
    title_page = screenplay.to_screenplay(everything, episode.title).title_page
    written = (screenplay.to_screenplay(scene, "").elements for scene in scenes)
    return Screenplay(tuple(element for elements in written for element in elements), title_page)
