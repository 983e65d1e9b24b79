"""Where a form says what is wrong: under the field that it is about, and in any case at the end."""

import streamlit as st

from console.ui import say
from services.errors import InvalidInput


class Spots:
    """The places of one drawing of a form, by the field's name."""

    def __init__(self) -> None:
        self._places: dict[str, st.delta_generator.DeltaGenerator] = {}
        self.wrong: dict[str, str] = {}  # what is known to be wrong before anything is saved

    def here(self, field: str) -> None:
        """The place of a field: right here."""
        self._places[field] = st.empty()

    def refuse(self, refusal: InvalidInput) -> None:
        """Say it at its field, and remember it."""
        self.wrong[refusal.field] = str(refusal)
        self.say(refusal.field, str(refusal))

    def say(self, field: str, sentence: str) -> bool:
        """Say it at its field; whether there is such a place."""
        place = self._places.get(field.split("/")[0])
        if place is not None:
            place.error(say.plain(sentence), icon=":material/error:")
        return place is not None
