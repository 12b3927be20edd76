"""The same on a cluster: the per-line function of the local engine, run by PySpark.

Spark splits a bzip2 dump between machines and reads it from wherever Hadoop can; a gzip dump is read
by one. One entity a line, as Wikidata's own JSON dumps are.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Final

from mlmkg.errors import SourceError
from mlmkg.progress import Progress
from mlmkg.sources import leftout
from mlmkg.sources.scan import keep
from mlmkg.sources.wikibase import Report, Wanted

#: What the line with the counts of a partition begins with: a comment in N-Triples. An accumulator
#: would count again what a machine that was lost had counted.
_COUNTS: Final = b"#"
_NOT_FOR_SPARK: Final = re.compile(r"^https?://|\.(nt|ttl)(\.\w+)?$")


def statements(
    paths: Sequence[str], wanted: Wanted, progress: Progress, report: Report | None = None
) -> Iterator[bytes]:
    """Yield the N-Triples lines of what is wanted of the dumps; the report counts what is left out.

    Runs in the session of ``spark-submit`` if there is one, else in a local one.

    :param paths: anything that Spark reads: paths, ``hdfs://…``, ``s3a://…``, with wildcards.
    :param report: told how many lines were malformed, and what is left out.
    :raises SourceError: if PySpark is not installed, or a path cannot be read or is no such JSON.
    """
    if wrong := [path for path in paths if _NOT_FOR_SPARK.search(path)]:
        raise SourceError(
            "Spark reads JSON with one entity a line, and no web addresses", where=wrong[0],
            action="Leave out `--engine spark`",
        )  # fmt: skip
    try:
        from py4j.protocol import Py4JJavaError
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise SourceError(
            "PySpark is not installed", where="--engine spark",
            action="Install it with `pip install 'mlmkg[spark]'`; it needs Java 17",
        ) from None  # fmt: skip
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        # Not under spark-submit: workers are this Python, where the PATH's may not have mlmkg.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = SparkSession.builder.appName("mlmkg").getOrCreate()
    context = session.sparkContext
    malformed = context.accumulator(0)
    try:
        lines = context.textFile(",".join(paths), use_unicode=False)
        kept = lines.mapPartitions(partial(_partition, wanted, malformed))
        found = kept.toLocalIterator(prefetchPartitions=True)
        for line in map(bytes, progress(found, "reading with Spark", unit="statement")):
            if not line.startswith(_COUNTS):
                yield line
            elif report is not None:
                report.left_out += leftout.unpacked(line.removeprefix(_COUNTS))
    except Py4JJavaError as error:
        raise SourceError(
            str(error.java_exception.getMessage()).partition("\n")[0], where=", ".join(paths),
            action="Correct the path, or look into Spark's own log",
        ) from None  # fmt: skip
    if report is not None and malformed.value:
        report.counts["malformed lines"] += malformed.value


def _partition(wanted: Wanted, malformed: object, lines: Iterator[bytes]) -> Iterator[bytes]:
    report = Report()

    def of(line: bytes) -> list[bytes]:
        try:
            return keep(line, wanted, report)
        except (ValueError, AttributeError, TypeError, KeyError):
            malformed.add(1)  # type: ignore[attr-defined]
            return []

    yield from chain.from_iterable(map(of, lines))
    yield _COUNTS + leftout.packed(report.left_out)
