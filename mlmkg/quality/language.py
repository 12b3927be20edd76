"""Says which language a text is in, and stays silent where it cannot know.

A village's summary is mostly names, and the names are in the language of the place: py3langid is 98 %
sure that "Csákánydoroszló is a village in Vas County, Hungary." is Hungarian. So what stands in
brackets (names in other languages, pronunciations) and every word with a capital letter is left out;
"is a village in" remains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

#: Languages that a text may turn out to be in, beside those of the recipe: of the largest Wikipedias
#: those that are not easily taken for another (Norwegian is for Danish, Galician for Portuguese).
COMMON: Final = (
    "ar", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it",
    "ja", "ko", "nl", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "vi", "zh",
)  # fmt: skip
#: The least probability at which another language is believed.
SURE: Final = 0.8
#: Characters of a text that are looked at: more change nothing.
LONGEST: Final = 1_000
#: Wikipedias' codes that the model writes otherwise.
_SAME: Final = {"nb": "no", "simple": "en"}
_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_WORD: Final = re.compile(r"[^\W\d_]+(?:[’'‘-][^\W\d_]+)*")


def without_names(text: str) -> str:
    """Return the words of a text that are no names, as far as capital letters tell.

    >>> without_names("Łódź [wutɕ] (German: Lodz) is a city in central Poland, on the river Łódka.")
    'is a city in central on the river'
    """
    words = _WORD.findall(_BRACKETS.sub(" ", text[:LONGEST]))
    return " ".join(word for word in words if not word[0].isupper())


class Languages:
    """Tells languages apart with py3langid's model: 100 MB, 40 microseconds a summary."""

    def __init__(self, languages: Iterable[str]) -> None:
        """Load the model.

        :param languages: what the texts say they are in; those that the model does not know are
            never judged.
        """
        known = set(_model(None).labels)
        self._known = {code: main for code in languages if (main := _main(code)) in known}
        self._model = _model(tuple(sorted({*self._known.values(), *COMMON})))

    def knows(self, language: str) -> bool:
        """Return whether texts in this language are judged."""
        return language in self._known

    def other(self, text: str, language: str) -> tuple[str, float] | None:
        """Return the language that a text is in, and how sure that is, if it is not the one it says.

        :param language: one of those that are known.
        """
        found, sure = self._model.classify(without_names(text))
        if found == self._known[language] or sure < SURE:
            return None
        return str(found), float(sure)


@cache
def _model(languages: tuple[str, ...] | None) -> Any:
    """Return py3langid's model for some languages, or for all: half a second each."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(languages)
    return model


def _main(code: str) -> str:
    main = code.partition("-")[0].lower()
    return _SAME.get(main, main)
