#!/bin/bash
# The collectors on the kernel that runs here: real processes, sockets, mounts and refusals; and what is not seen without
# the rights to see it is never passed.
. "$(dirname "$0")/../tap.sh"

facts=$O/tests/cam-harden-check/facts
if nm "$facts" | grep -q __asan_init; then skip_all "built with sanitizers: no sandbox to be seen"; fi
unshare -nm true 2>/dev/null || skip_all "needs root and namespaces"
chmod 755 "$T"

look() { "$facts" / "$@" >facts.out 2>facts.err || cat facts.err; }
has() { ok "$1" grep -qxE "$2" facts.out; }
hasnt() { ok "$1" sh -c '! grep -qE "$1" facts.out' hasnt "$2"; }

# --- processes ---

# a program that has given nothing up, and one that has
cp "$(command -v sleep)" cam-seal
./cam-seal 600 & bare=$!
mkdir d
mkfifo in
cam-reap d <in 2>/dev/null & held=$!
exec 9>in
stop_at_end $bare $held
ok "cam-reap is in its sandbox" waits 60 grep -q 'Seccomp:.2' /proc/$held/status
look processes programs
has "both run" 'process running \+ cam-(seal|reap)'
for key in Uid NoNewPrivs Seccomp Seccomp_filters CapEff CapPrm CapBnd; do
	has "a bare process is held against $key" "process $key \\+ cam-seal\\[$bare\\]: .*"
done
has "its namespaces are those of init" "process ns/net \\+ cam-seal\\[$bare\\]: not its own"
for key in NoNewPrivs Seccomp Seccomp_filters CapEff CapPrm CapBnd limits:core; do
	hasnt "a sandboxed one is not held against $key" "^process $key \\+ cam-reap\\[$held\\]"
done
# others' tools of the same name may end while they are looked at; nothing else is a reason
hasnt "and all of its files were read" '^process (NoNewPrivs|Seccomp|CapEff|fd|memory-wx|threads) unseen: .*(root|understood|kernel)'
# of one that ends while it is looked at nothing is known, neither good nor bad; its control group seems not to be there
mkdir -p one/proc && ln -s /proc/self /proc/1 /proc/$bare one/proc
ending() {
	strace -f -qq -o /dev/null -P proc/$bare/cgroup -P proc/$bare/stat -e trace=openat -e inject=openat:error=ENOENT:when=$1 "$facts" one processes 2>facts.err | grep '^process ' >facts.out
}
ending 2+
has "one that ends meanwhile was not seen" 'process ceiling unseen: a process ended while it was looked at'
hasnt "in no respect" '^process [^ ]+ (.*cam-seal|=|none)'
ending 2
has "one that goes on is" "process ceiling \\+ cam-seal\\[$bare\\]: no memory.max, nor a limit of its own"
kill $bare $held 2>/dev/null
exec 9>&-

# one that has ended, for whose end nobody has asked
cat >zombie.py <<'X'
import ctypes, os, time
pid = os.fork()
if not pid:
    ctypes.CDLL(None).prctl(15, b"cam-ship", 0, 0, 0)
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print(pid, flush=True)
time.sleep(600)
X
python3 zombie.py >zombie & parent=$!
stop_at_end $parent
waits 60 test -s zombie
read -r dead <zombie
ok "a tool has ended" grep -q '^State:.Z' /proc/$dead/status
rm -r one && mkdir -p one/proc && ln -s /proc/self /proc/1 /proc/$dead one/proc
"$facts" one processes resolver >facts.out 2>facts.err
has "it is not running" 'process running none'
has "nothing is known of it" 'process Uid unseen: no process of the camera is running'
has "nor what it was started with" 'net server-pinned unseen: no cam-ship is running'
kill $parent

cat >wx.py <<'X'
import ctypes, mmap, sys, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap(None, 4096, 7, 0x22, -1, 0)
libc.prctl(15, b"cam-spool", 0, 0, 0)
print("ready", flush=True)
time.sleep(600)
X
fresh ready
python3 wx.py >ready & wx=$!
stop_at_end $wx
waits 60 grep -q ready ready
look processes programs
has "memory that is written and executed" "process memory-wx \\+ cam-spool\\[$wx\\]: anonymous memory can be written and executed"
has "code without a file" "exec anon-exec \\+ .*\\[$wx\\]: memory without a file"
kill $wx
cp "$(command -v sleep)" gone
./gone 600 & gone=$!
stop_at_end $gone
waits 60 sh -c "readlink /proc/$gone/exe | grep -q gone"
rm gone
LD_LIBRARY_PATH=/x sleep 600 & pre=$!
stop_at_end $pre
waits 60 sh -c "readlink /proc/$pre/exe | grep -q sleep"
look programs
has "a program that is deleted" "exec deleted-exe \\+ .*\\[$gone\\]: .*"
has "a path to libraries in the environment" "exec preload-env \\+ .*\\[$pre\\]: LD_LIBRARY_PATH"
kill $gone $pre

# --- a part of a list is not judged ---

echo 'x | net | netlink:sockets | review | - | low | own | why | -
reviewed x | alice | 2099-12-31 | not there | why' >part.policy
cat >many.py <<'X'
import resource, socket, subprocess, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
keep = [socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) for _ in range(int(sys.argv[1]))]
for k in keep:
    k.bind((0, 0))
print(subprocess.run(["cam-harden-check", "-p", "./part.policy", "-o", "tap"], capture_output=True, text=True).stdout)
X
unshare -n python3 many.py 0 >facts.out
has "none of it, as a person has judged" 'ok 1 - x'
unshare -n python3 many.py 3 >facts.out
has "some of it" '# FAIL: netlink:sockets: was not there when alice judged it, is protocol 0 .*'
unshare -n python3 many.py 250 >facts.out
has "more than is shown" '# INCOMPLETE: netlink:sockets: not all of it was seen; seen protocol 0 .*'

# --- what is not seen ---

unprivileged() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
unprivileged "$facts" / processes programs >facts.out 2>&1
hasnt "without root nothing is said about maps" '^exec (maps-device|anon-exec|exe-device|preload-env) (none|=)'
unshare -m sh -c 'mount -t proc -o hidepid=invisible proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$1" / processes programs' sh "$facts" >facts.out 2>&1
has "hidden processes: the group was not seen" 'process unseen: .*hidepid.*'
hasnt "hidden processes: no list is empty" ' none'
unshare -pf --mount-proc "$facts" / processes programs >facts.out 2>&1
has "in a PID namespace: the group was not seen" 'process unseen: .*PID namespace.*'
hasnt "in a PID namespace: no list is empty" '^(process|exec) .* none'
unshare -m sh -c 'mount -t tmpfs none /proc && exec "$1" / processes programs sockets mounts lsm protocols firewall' sh "$facts" >facts.out 2>&1
hasnt "without /proc: no list is empty, no value is known" '^(process|exec|net listen|net nft|net iptables|mount|proto (reg|fam|trans)|integrity mod)[^ ]* .*(none|=)'

# --- sockets, in a network of their own ---

cat >sockets.py <<'X'
import os, socket, sys, time
keep = []
def make(family, kind, protocol=0, address=None, listen=False):
    s = socket.socket(family, kind, protocol)
    if address is not None:
        s.bind(address)
    if listen:
        s.listen(1)
    keep.append(s)
make(socket.AF_INET, socket.SOCK_STREAM, 0, ("0.0.0.0", 4711), True)
make(socket.AF_INET, socket.SOCK_STREAM, 0, ("127.0.0.1", 4712), True)
make(socket.AF_INET6, socket.SOCK_STREAM, 0, ("::", 4713), True)
make(socket.AF_INET, socket.SOCK_DGRAM, 0, ("0.0.0.0", 4714))
make(socket.AF_INET, socket.SOCK_RAW, 255)
make(socket.AF_PACKET, socket.SOCK_RAW, 768)
make(socket.AF_UNIX, socket.SOCK_STREAM, 0, "\0cam-test", True)
make(socket.AF_NETLINK, socket.SOCK_RAW, 0, (0, 0))
print("ready", flush=True)
time.sleep(600)
X
unshare -n sh -c 'ip link set lo up; python3 sockets.py >ready2 & echo $! >pid; i=0; while ! grep -q ready ready2 && [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done; "$1" / sockets >facts.out; kill $!' sh "$facts"
pid=$(cat pid)
has "TCP" "net listen:tcp \\+ 0.0.0.0:4711 uid 0 python3\\[$pid\\]"
has "TCP on loopback, apart" "net listen:loopback \\+ 127.0.0.1:4712 uid 0 python3\\[$pid\\]"
has "TCP of IPv6" "net listen:tcp6 \\+ \\[::\\]:4713 uid 0 python3\\[$pid\\]"
has "UDP" "net listen:udp \\+ 0.0.0.0:4714 uid 0 python3\\[$pid\\]"
has "raw" "net listen:raw \\+ 0.0.0.0:255 uid 0 python3\\[$pid\\]"
has "packet" "net listen:packet \\+ ethertype .* uid 0 python3\\[$pid\\]"
has "abstract" "net listen:unix-abstract \\+ @cam-test python3\\[$pid\\]"
has "netlink" "net netlink:sockets \\+ protocol 0 python3\\[$pid\\]"
unshare -n "$facts" / sockets >facts.out
for key in tcp tcp6 udp udp6 raw raw6 packet loopback; do has "an empty network: $key" "net listen:$key none"; done

# --- what the kernel is asked directly, and what else runs ---

# by somebody else who asks the same: "synchronised", unless the state is TIME_ERROR or the flag STA_UNSYNC is set
cat >clock.py <<'X'
import ctypes
buf = (ctypes.c_char * 512)()
state = ctypes.CDLL(None).adjtimex(buf)
status = ctypes.c_int.from_buffer(buf, 5 * ctypes.sizeof(ctypes.c_long)).value
print("un" * (state == 5 or status & 0x40 != 0) + "synchronised")
X
look clock
has "the clock" "integrity clock = $(python3 clock.py)"
if capsh --secbits=0x21 --print >/dev/null 2>&1; then
	capsh --secbits=0x21 --shell="$facts" -- / securebits >facts.out
	has "securebits of whoever started it" 'exec securebits \+ noroot'
	has "and another one" 'exec securebits \+ keep-caps-locked'
	is "and no more" "$(wc -l <facts.out)" 2
	look securebits
	has "none here" 'exec securebits none'
fi
if capsh --secbits=0x500 --print >/dev/null 2>&1; then
	capsh --secbits=0x500 --shell="$facts" -- / securebits >facts.out
	has "those for interpreters" 'exec securebits \+ exec-deny-interactive'
	has "for both" 'exec securebits \+ exec-restrict-file'
fi
cp "$(command -v sleep)" cam-ship
choom -n 300 -- ./cam-ship 600 & helps=$!
cp "$(command -v sleep)" cam-capture
choom -n 300 -- ./cam-capture 600 & records=$!
stop_at_end $helps $records
waits 60 sh -c "grep -q cam-ship /proc/$helps/comm && grep -q cam-capture /proc/$records/comm"
look processes resolver
has "what records, to be ended early" "process oom_score_adj \\+ cam-capture\\[$records\\]: 300"
hasnt "what helps may be" "^process oom_score_adj \\+ cam-ship\\[$helps\\]"
# of this one, whatever other tests' uploaders do
rm -r one && mkdir -p one/proc && ln -s /proc/self /proc/$helps one/proc
"$facts" one resolver >facts.out
has "an uploader without the server's key" 'net server-pinned = no'
kill $helps $records
# a file that is called so, in a /dev of its own
unshare -m sh -c 'mount -t tmpfs none /dev && : >/dev/watchdog0 && exec 9</dev/watchdog0 && "$1" / feeder' sh "$facts" >facts.out
has "who holds the watchdog" 'watchdog watchdog.supervisor \+ facts'
unprivileged "$facts" / feeder sockets >facts.out 2>&1
hasnt "without root nobody is said not to" '^(watchdog watchdog.supervisor|net tcp-established) none'

# --- protocols: the passive list has what the tries found ---

look protocols
if grep -q 'proto families unseen' facts.out; then
	has "families are not tried where that could load modules" 'proto families unseen: not tried, because that could load modules'
else
	for f in UNIX INET NETLINK; do has "a family that answers: $f" "proto families \\+ $f"; done
	has "a transport that answers" 'proto transports \+ TCP'
fi
has "and is registered" 'proto registered \+ TCP'

# --- mounts, and attempts in them ---

# places.sh FACTS PLACE...: mounts each and tries to run something there
cat >places.sh <<'X'
set -e
facts=$1; shift
rm -rf tree && mkdir -p "$@" tree/proc/self
for m; do
	mount -t tmpfs -o size=8m,$m none $m
	grep " $PWD/$m " /proc/self/mountinfo >>tree/proc/self/mountinfo
done
cp /proc/self/maps tree/proc/self/maps
"$facts" / mounts >mounts.out
"$facts" tree attempt >attempts.out
find "$@" >left.out
X
unshare -m sh places.sh "$facts" exec noexec ro >places.err 2>&1 || cat places.err
cp mounts.out facts.out
has "a place to write and run in" "mount writable-and-executable \\+ $T/exec \\(tmpfs\\)"
hasnt "noexec and ro are none" "executable \\+ $T/(noexec|ro) "
cp attempts.out facts.out
has "a copied program ran there" "exec probe:exec-each-writable-mount \\+ $T/exec: ran"
has "through the loader too" "exec probe:ld.so-direct \\+ $T/exec: ran"
has "a library of there was mapped" "exec probe:mmap-prot-exec-file \\+ $T/exec: mapped"
hasnt "nothing ran on noexec" "(mount|direct|file) \\+ $T/(noexec|ro)"
has "but what a shell reads does" "exec probe:script-interp \\+ $T/noexec: ran"
has "a program in memory ran" 'exec probe:memfd-exec \+ memfd: ran'
is "nothing is left behind" "$(grep -c attempt left.out)" 0
# a place that is full, as another program leaves it
cat >full.sh <<'X'
mount -t tmpfs -o size=4k none /dev/shm && rm -rf tree && mkdir -p tree/proc/self && cp /proc/self/maps tree/proc/self/maps
grep ' /dev/shm ' /proc/self/mountinfo | tail -n 1 >tree/proc/self/mountinfo
"$1" tree attempt
X
unshare -m sh full.sh "$facts" >facts.out 2>&1
for k in exec-each-writable-mount dev-shm-exec ld.so-direct script-interp mmap-prot-exec-file; do
	has "where there is no room for an attempt nothing is known: $k" "exec probe:$k unseen: No space left on device"
done
unshare -m sh places.sh "$facts" noexec ro >places.err 2>&1 || cat places.err
cp attempts.out facts.out
has "where nothing can be executed, nothing ran" 'exec probe:exec-each-writable-mount none'
has "nor through the loader" 'exec probe:ld.so-direct none'
: >tree/proc/self/maps # as in a program that has no loader
: >tree/proc/self/mountinfo
"$facts" tree attempt >facts.out
has "a static program cannot tell what the loader would do" 'exec probe:ld.so-direct unseen: this program is static.*'

# --- the tool: its phases ---

cam-harden-check -v -o tap >all.tap 2>all.err
ok "an audit of this machine" grep -q 'process.running' all.tap
cat >compare.py <<'X'
import json
def passed(path):
    return {f["id"] for f in json.load(open(path))["findings"] if f["verdict"] == "PASS"
            and f["group"] in ("mount", "integrity", "exec", "process", "net", "proto", "watchdog")}
more = passed("nobody.json") - passed("root.json")
assert not more, more
X
compare() {
	unprivileged env PATH="$PATH" cam-harden-check -v -o json >nobody.json 2>nobody.err
	cam-harden-check -v -o json >root.json 2>root.err
	python3 compare.py
}
ok "what passes without root passes with it" waits 60 compare
verdict() { python3 -c 'import json, sys
print([f["verdict"] for f in json.load(open(sys.argv[1]))["findings"] if f["id"] == sys.argv[2]][0])' "$@"; }
is "without root the packet filter is incomplete" "$(verdict nobody.json net.nft-ip-input)" INCOMPLETE
is "files are incomplete without -w" "$(verdict root.json exec.setuid)" INCOMPLETE
is "attempts are incomplete without -x" "$(verdict root.json exec.probe-memfd)" INCOMPLETE
exits 100 "-x is of the running device" cam-harden-check -x -r .

strace -f -qq -o trace -e trace=open,openat,openat2,creat,unlink,rename,mkdir,chmod,chown,connect,sendto,init_module,finit_module cam-harden-check >/dev/null 2>&1
ok "nothing is opened for writing but /dev/null and what the device mapper answers" sh -c '! grep -E "O_(WRONLY|RDWR|CREAT)" trace | grep -vE "/dev/null|dev/mapper/control"'
ok "nothing is connected, renamed or removed" sh -c '! grep -E "unlink|rename|mkdir|chmod|chown|connect\(|init_module" trace'
strace -f -qq -o trace -e trace=seccomp,capset,landlock_restrict_self,execve cam-harden-check -w -r "$T/d" >/dev/null 2>&1
is "an image: the walk and the report each have a filter" "$(grep -c 'SECCOMP_SET_MODE_FILTER.* = 0' trace)" 2
strace -f -qq -o trace -e trace=seccomp,capset,landlock_restrict_self,execve cam-harden-check >/dev/null 2>&1
is "two phases and the report each have a filter" "$(grep -c 'SECCOMP_SET_MODE_FILTER.* = 0' trace)" 3
is "without Landlock is only the one that looks at processes" "$(grep -c 'landlock_restrict_self.* = 0' trace)" 2
ok "which keeps two capabilities" grep -qE 'effective=1<<CAP_DAC_READ_SEARCH\|1<<CAP_SYS_PTRACE,' trace
is "only nft is run" "$(grep -o 'execve("[^"]*"' trace | sort -u | grep -vc 'cam-harden-check"')" 1

strace -f -qq -o /dev/null -e trace=geteuid -e inject=geteuid:signal=SIGKILL cam-harden-check -v -o json >killed.json 2>killed.err
ok "a phase that is killed saw nothing" python3 - <<'X'
import json
v = {f["id"]: f["verdict"] for f in json.load(open("killed.json"))["findings"]}
bad = {i for i in v if i.startswith(("process.", "net.listen")) and v[i] != "INCOMPLETE"}
assert not bad, bad
X

mkdir -p tree3/etc tree3/bin
cp "$(command -v sleep)" tree3/bin/sleep
chmod 4755 tree3/bin/sleep
cam-harden-check -v -w -r tree3 -o json >image.json 2>image.err
is "an image: setuid" "$(verdict image.json exec.setuid)" FAIL
is "an image: no interpreter" "$(verdict image.json exec.interpreters)" PASS
is "an image: what runs is not asked" "$(verdict image.json process.uid)" SKIP
strace -f -qq -o trace -e trace=open,openat,openat2 cam-harden-check -w -r tree3 >/dev/null 2>&1
sed 's/.*exec.*//;1,/tree3/d' trace | grep -E '"/(proc|sys|etc|usr|boot)' | grep -v '"/etc/localtime", .*EACCES' >host
cp host tap.out; : >tap.err
[ ! -s host ]; tap_result $? "an image: nothing of this host is opened after it"

tap_done
