#!/bin/sh
# The sandbox's filters and the audit in the guest: a kernel and an architecture that the other tests do not have.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/guest/guest.sh
. "$top/tests/guest/guest.sh"

verdict() { /usr/bin/python3 -c 'import json, sys; print(*[f["verdict"] for f in json.load(open(sys.argv[1]))["findings"] if f["id"] == sys.argv[2]])' "$@"; }
count() { /usr/bin/python3 -c 'import json, sys; print(sum(f["verdict"] == sys.argv[2] for f in json.load(open(sys.argv[1]))["findings"]))' "$@"; }

mkdir out
guest cells
passed=$(count out/root.json PASS) failed=$(count out/root.json FAIL)
ok "by root $passed rules pass and $failed fail" test "$passed" -gt 40 -a "$failed" -gt 40
ok "who may see less says that it saw less" test "$(count out/user.json INCOMPLETE)" -gt "$(count out/root.json INCOMPLETE)"
ok "and passes no more" test "$(count out/user.json PASS)" -le "$(count out/root.json PASS)"
is "a copied program ran where it could be put" "$(verdict out/tried.json exec.probe-mounts)" FAIL
is "one in memory as well" "$(verdict out/tried.json exec.probe-memfd)" FAIL
tap_done
