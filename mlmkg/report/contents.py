"""Pictures of what a version holds: modalities, languages, classes, licences."""

from __future__ import annotations

from collections import Counter
from typing import Final

from mlmkg.report.charts import ROWS, WHOLE, Drawing, bars, both, canvas, listed, percent, share, short
from mlmkg.report.counting import order
from mlmkg.report.figures import IMAGE, Figures
from mlmkg.report.style import BLUE, GREY, INK, ORANGE, PALE, RED, SKY

#: Modalities of an entity that are told apart.
COLUMNS: Final = 8
#: Hop of a class -> its colour: the further away, the lighter.
HOPS: Final = {0: "#003f66", 1: BLUE, 2: SKY, 3: "#b5dcf4"}
FAMILY_NAMES: Final = {
    "cc0": "CC0", "pd": "public domain", "cc-by": "CC BY", "cc-by-sa": "CC BY-SA", "gfdl": "GFDL",
    "fal": "Free Art", "other": "another licence", "unknown": "unknown",
}  # fmt: skip


def coverage(figures: Figures) -> Drawing | None:
    """Draw which entities have which modalities: a row for each combination."""
    having: Counter[str] = Counter()
    for kind, count in figures.modalities.items():
        having.update(dict.fromkeys(kind, count))
    if not having:
        return None
    # Of fifty languages, the most frequent.
    names = [name for name, _ in order(having)[:COLUMNS]]
    names.sort(key=lambda name: (name != IMAGE, name))
    found: Counter[tuple[str, ...]] = Counter()
    for kind, count in figures.modalities.items():
        found[tuple(name for name in names if name in kind)] += count
    kinds = order(found)
    total = figures.entities
    whole = next((n for kind, n in kinds if len(kind) == len(names)), 0)
    spoken = [name for name in names if name != IMAGE]
    everything = ["an image"] if IMAGE in names else []
    everything += [f"a summary in {both([short(name) for name in spoken])}"] if spoken else []
    title = f"{share(whole, total, 'entities')} have {' and '.join(everything)}"
    shown, rest = kinds[:ROWS], kinds[ROWS:]
    high = 1.3 + 0.28 * (len(shown) + bool(rest))
    figure, (axes,) = canvas(title, "Entities by what they have: an image, a summary in a language",
                             high=high)  # fmt: skip
    rows = [("", [(n, BLUE)], f"{n:,} · {percent(n, total)}") for _, n in shown]
    if rest:
        left = sum(n for _, n in rest)
        rows.append(("", [], f"{left:,} · {len(rest)} other combinations"))
    bars(axes, rows)
    longest = axes.get_xlim()[1]
    step = longest * min(0.1, 0.6 / len(names))
    for place, (kind, _) in enumerate(shown):
        for column, name in enumerate(names):
            axes.scatter((column - len(names)) * step, place, s=42, linewidths=0,
                         color=INK if name in kind else PALE)  # fmt: skip
    for column, name in enumerate(names):
        axes.text((column - len(names)) * step, -0.75, short(name, 12), ha="center", fontsize=9,
                  rotation=0 if len(names) < 6 else 60)  # fmt: skip
    axes.set_xlim(-(len(names) + 0.7) * step, longest)
    axes.set_ylim(len(rows) - 0.4, -1.1)
    axes.set_yticks([])
    counts = [(" + ".join(kind) or "nothing", n) for kind, n in kinds]
    return Drawing(figure, title, listed("Entities by what they have", counts, total))


def languages(figures: Figures) -> Drawing | None:
    """Draw summaries by language: written by people, and generated from facts."""
    found = sorted(figures.languages.items(), key=lambda item: (-item[1].summaries, item[0]))
    if not found:
        return None
    most, least = found[0], found[-1]
    total = figures.entities
    title = f"{share(most[1].summaries, total, 'entities')} have a summary in {short(most[0])}"
    if most[1].summaries == least[1].summaries and len(found) > 1:
        title = f"{share(most[1].summaries, total, 'entities')} have a summary in "
        title += f"each of the {len(found)} languages"
    elif len(found) > 1:
        title += f", {percent(least[1].summaries, total)} in {short(least[0])}"
    made = sum(language.generated for _, language in found)
    written = sum(language.summaries for _, language in found) - made
    note = "Summaries by language and their mean length" + (
        "; all generated from facts" if not written
        else "; light: generated from facts" if made else ""
    )  # fmt: skip
    if len(found) > 2 * ROWS:
        note += f"; the first {2 * ROWS} of {len(found)} languages"
    figure, (axes,) = canvas(title, note, high=0.95 + 0.28 * min(len(found), 2 * ROWS))
    bars(axes, [
        (
            name,
            [(la.summaries - la.generated, BLUE), (la.generated, SKY)],
            f"{la.summaries:,} · {la.characters / la.summaries:,.0f} characters",
        )
        for name, la in found[: 2 * ROWS]
    ])  # fmt: skip
    counts = [(name, language.summaries) for name, language in found]
    return Drawing(figure, title, listed("Summaries by language", counts, total))


def classes(figures: Figures) -> Drawing | None:
    """Draw the largest classes, coloured by the hop they came from."""
    found = sorted(figures.classes.items(), key=lambda item: (-item[1], str(item[0])))
    if not found:
        return None
    (_, label, _), most = found[0]
    total = figures.entities
    title = f"{share(most, total, 'entities')} are of the class “{short(label)}”"
    title += f"; there are {len(found):,} classes" if len(found) > 1 else ""
    shown = found[:ROWS]
    rows = [
        (label, [(n, HOPS.get(-1 if hops is None else hops, GREY))],
         f"{n:,} · {'no hop' if hops is None else f'hop {hops}'}")
        for (_, label, hops), n in shown
    ]  # fmt: skip
    if rest := found[ROWS:]:
        left = sum(n for _, n in rest)
        rows.append((f"{len(rest):,} others", [], f"{left:,}"))
    note = "Entities by class; hop: steps from the base class. An entity may have several"
    figure, (axes,) = canvas(title, note, high=1.0 + 0.27 * len(rows))
    bars(axes, rows, room=0.34)
    counts = [(label, n) for (_, label, _), n in found]
    return Drawing(figure, title, listed("Entities by class", counts, total))


def licences(figures: Figures) -> Drawing | None:
    """Draw the licences of images and of summaries by family."""
    tables = [(name, figures.families(name)) for name in ("images", "summaries")]
    there = [(name, families) for name, families in tables if families]
    if not there:
        return None
    name, families = there[0]
    family, most = max(families.items(), key=lambda item: item[1])
    total = sum(families.values())
    words = {"pd": "in the public domain", "unknown": "under a licence that nobody told",
             "other": "under another licence"}  # fmt: skip
    title = f"{share(most, total, name)} are {words.get(family, f'under {FAMILY_NAMES[family]}')}"
    rows = max(len(families) for _, families in there)
    note = f"{both([name for name, _ in there]).capitalize()} by family of licences"
    figure, axes = canvas(title, note, wide=WHOLE, high=1.0 + 0.28 * rows, columns=2)
    for panel in axes[len(there) :]:
        panel.set_axis_off()
    for panel, (name, families), colour in zip(axes, there, (ORANGE, BLUE), strict=False):
        whole = sum(families.values())
        bars(panel, [
            (FAMILY_NAMES[family], [(n, RED if family == "unknown" else colour)],
             f"{n:,} · {percent(n, whole)}")
            for family, n in families.items()
        ])  # fmt: skip
        panel.set_ylim(rows - 0.4, -0.6)
        panel.set_title(f"{whole:,} {name}", fontsize=9.5, color=INK)
    return Drawing(figure, title, listed(f"Licences of {name}", list(families.items()), total))
