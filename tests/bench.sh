#!/bin/sh
# bench.sh: figures beside a peer's in the same run. Each pair is run in turn RUNS times; printed are medians and
# the median of the ratios, ours to theirs: below 1 is less.
exec /usr/bin/python3 "$(dirname "$0")/bench.py" "$@"
