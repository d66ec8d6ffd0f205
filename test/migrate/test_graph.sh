#!/usr/bin/env bash
# Compares what pgmend says of every history's graph with what Alembic itself says: the fixtures, ReplyX, and histories
# made by chance (PGMEND_SEED makes the same ones again). Prints TAP.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
oracle=$here/graph_oracle.py
python=/usr/bin/python3
[ -x "$python" ] || python=python3
# Fixed, so that a run says something about the change it tests; PGMEND_SEED=$RANDOM looks for more.
seed=${PGMEND_SEED:-1}

export PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1
cd "$root" || exit 1

if ! "$python" -c 'import alembic' 2>/dev/null; then
    echo '1..0 # SKIP python3-alembic is not installed'
    exit 0
fi

echo "# PGMEND_SEED=$seed"
"$python" "$oracle" --seed "$seed" --random 100 \
    "$PGMEND" test/fixtures/graphs/*/ test/fixtures/migrations/*/ replyx
