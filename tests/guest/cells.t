#!/bin/sh
# The sandbox's filters and the audit in the guest: a kernel and an architecture that the other tests do not have.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/guest/guest.sh
. "$top/tests/guest/guest.sh"

verdict() { [ -s "$1" ] && /usr/bin/python3 -c 'import json, sys; print(*[f["verdict"] for f in json.load(open(sys.argv[1]))["findings"] if f["id"] == sys.argv[2]])' "$@"; }
count() { /usr/bin/python3 -c 'import json, sys; print(sum(f["verdict"] == sys.argv[2] for f in json.load(open(sys.argv[1]))["findings"]))' "$@"; }

seen() { /usr/bin/python3 -c 'import json, sys; print(*[f["seen"] for f in json.load(open(sys.argv[1]))["findings"] if f["id"] == sys.argv[2]])' "$@"; }

# an image with nothing but the audit
programs=$O
[ "${GUEST_ARCH:-amd64}" = "$(dpkg --print-architecture)" ] || programs=$top/build/aarch64-linux-gnu
mkdir -p out image/proc image/sys image/dev # 4096: the blocks that dm-verity checks
cp "$programs/static/cam-harden-check" image
/sbin/mke2fs -q -t ext4 -b 4096 -O ^has_journal -m 0 -d image out/verity.img 16M >tap.out 2>&1
guest cells
passed=$(count out/root.json PASS) failed=$(count out/root.json FAIL)
ok "by root $passed rules pass and $failed fail" test "$passed" -gt 40 -a "$failed" -gt 40
ok "who may see less says that it saw less" test "$(count out/user.json INCOMPLETE)" -gt "$(count out/root.json INCOMPLETE)"
ok "and passes no more" test "$(count out/user.json PASS)" -le "$(count out/root.json PASS)"
is "a copied program ran where it could be put" "$(verdict out/tried.json exec.probe-mounts)" FAIL
is "one in memory as well" "$(verdict out/tried.json exec.probe-memfd)" FAIL
for id in setuid interpreters elf-bindnow; do is "of the files of Debian: exec.$id" "$(verdict out/walked.json exec.$id)" FAIL; done
for id in secret-recipient-key exposed-signing-key preload elf-nx elf-wx file-caps; do is "exec.$id" "$(verdict out/walked.json exec.$id)" PASS; done
ok "Debian's own set-uid programs are named" sh -c 'case $1 in */bin/su*) ;; *) echo "$1"; exit 1 ;; esac' sh "$(seen out/walked.json exec.setuid)"
is "a recipient's key that was left is found" "$(verdict out/left.json exec.secret-recipient-key) $(seen out/left.json exec.secret-recipient-key)" "FAIL /var/lib/left/me.key"
ok "so is a set-uid program" sh -c 'case $1 in */var/lib/left/su*) ;; *) echo "$1"; exit 1 ;; esac' sh "$(seen out/left.json exec.setuid)"
is "which who may not read it has not seen" "$(verdict out/walked-user.json exec.secret-recipient-key)" INCOMPLETE
is "and without -w none of it was seen" "$(verdict out/root.json exec.setuid) $(verdict out/root.json exec.secret-recipient-key)" "INCOMPLETE INCOMPLETE"
is "dm-verity is active where it is, by the device mapper's own word" \
	"$(verdict out/strict.json integrity.root-verity) $(verdict out/lax.json integrity.root-verity) $(verdict out/bare.json integrity.root-verity)" "PASS PASS FAIL"
is "and what it does on corruption is seen" "$(verdict out/strict.json integrity.root-opts) $(verdict out/lax.json integrity.root-opts)" "PASS FAIL"
is "as is its digest" "$(verdict out/strict.json integrity.root-digest)" PASS
tap_done
