#!/usr/bin/env bash
# The main job, end to end, on the embedded default: `make demo` runs it.
set -euo pipefail
export MLMKG_WORKSPACE=${1:-demo}
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
force() { if [ -e "$1" ]; then echo --force; fi; }

say "1. Build the graph: SPARQL files over 34,000 cities"
mlmkg build
mlmkg info
say "2. Export the version irle-gr"
mlmkg export --version irle-gr $(force "$MLMKG_WORKSPACE/exports/irle-gr")
mlmkg verify "$MLMKG_WORKSPACE/exports/irle-gr"
mlmkg check irle-gr
say "3. Train one model for retrieval and location"
mlmkg train --version irle-gr --task mtl --name demo $(force "$MLMKG_WORKSPACE/runs/demo")
say "4. Write its predictions back as triples"
mlmkg predict demo
say "5. Ask the graph: predictions joined with the truth"
mlmkg sparql worst-located -p country=wd:Q183
mlmkg sparql settlements-per-continent
say "6. Write FAIR metadata"
mlmkg metadata --html -o "$MLMKG_WORKSPACE/metadata"
say "Look at $MLMKG_WORKSPACE/runs/demo/map.png, at $MLMKG_WORKSPACE/exports/irle-gr/report.html, at $MLMKG_WORKSPACE/metadata/index.html, and ask more:"
echo "mlmkg --workspace $MLMKG_WORKSPACE queries list --kind examples"
