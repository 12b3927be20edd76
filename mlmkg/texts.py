"""Which texts are the same, and which are so common that they say nothing of anybody.

Texts enter, digests leave: texts of one digest are the same but for case, spaces and Unicode form.
"""

from __future__ import annotations

import unicodedata
from hashlib import blake2b
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: A text that more entities than this have is boilerplate ("A village in Poland."): it tells none of
#: them from another, and to keep all of them in one split would move that split's share.
COMMON: Final = 100


def normalised(text: str) -> str:
    """Return a text as it is compared: NFC, case folded, single spaces.

    >>> normalised(" Köln is\\n  a City ") == normalised("KO\\u0308LN is a city")
    True
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def digest(text: str) -> bytes | None:
    """Return 12 bytes that are the same for the same text, or nothing for a text without letters."""
    plain = normalised(text)
    if not plain:
        return None
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def shared(texts: pa.Table) -> pa.Table:
    """Return the rows whose text another entity has too, and how many ``entities`` have it.

    :param texts: columns ``entity`` and ``digest``; the digest may be null.
    """
    texts = texts.filter(pc.is_valid(texts["digest"]))
    codes = texts["digest"].combine_chunks().dictionary_encode().indices
    pairs = pa.table({"code": codes, "entity": texts["entity"]}).group_by(["code", "entity"])
    having = np.bincount(pairs.aggregate([])["code"].to_numpy())[codes.to_numpy()]
    return texts.append_column("entities", pa.array(having)).filter(pa.array(having > 1))
