"""The reasons why speeches are dropped."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a speech is dropped."""

    NO_EPISODE = "no episode"
    NO_CHARACTER = "no character"
    NO_DIALOGUE = "no dialogue"
    NOT_A_NAME = "not a character's name"
    SEVERAL = "stands for several people"
    STAGE_BUSINESS = "stage business in place of a name"
    ONLY_ASIDE = "nothing but an aside"
