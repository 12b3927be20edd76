"""The words of the generated summaries, a module per language.

Facts of a place enter, alternative sentences leave. What goes before a country ('in der Schweiz',
'aux États-Unis') stands in tables of the language.
"""

from __future__ import annotations

from mlmkg.sources.phrases import base, english, french, german
from mlmkg.sources.phrases.base import Facts, Phrases
from mlmkg.sources.phrases.english import English
from mlmkg.sources.phrases.french import French
from mlmkg.sources.phrases.german import German

__all__ = ["LANGUAGES", "MODULES", "Facts", "Phrases", "phrases"]

#: Language code -> its words.
LANGUAGES: dict[str, type[Phrases]] = {c.language: c for c in (English, German, French)}
#: What the sentences depend on.
MODULES = (base, english, german, french)


def phrases(language: str) -> Phrases:
    """Return the words of a language.

    :raises KeyError: if it is none of en, de, fr.
    """
    return LANGUAGES[language]()
