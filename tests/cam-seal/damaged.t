#!/bin/sh
# defends: forge.alter forge.restore
# cam-open on footage that was damaged, cut, mixed up or is none: what comes out is always whole stretches in order,
# the exit code is 1, and the verdict is named. (Every single byte is tried in reader-test.)
. "$(dirname "$0")/../tap.sh"
command -v ffmpeg >/dev/null || skip_all "no ffmpeg"
py=$top/tests/cam-seal

cam-key -g -n me && cam-key -g -n you && cam-key -g -s door && cam-key -g -s yard && cat me.pub you.pub >both || exit 1
ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=160x120:r=30 -frames:v 90 -c:v libx264 -preset veryfast \
	-x264-params aud=1:scenecut=0:keyint=15:min-keyint=15 -f h264 - | "$py/stream.py" sei >s.h264
cam-seal -i door.key -r both -t 1 <s.h264 >good 2>/dev/null

cat >bend.py <<'END'
import os, random, re, struct, subprocess, sys
good, video = open("good", "rb").read(), open("s.h264", "rb").read()
random.seed(int(sys.argv[2]))
at, records = 0, []
while at < len(good):
    n = struct.unpack_from("<H", good, at + 6)[0]
    records.append((at, n, good[at + 5]))
    at += n
gop = [m.start() for m in re.finditer(b"\0\0\0\1\x09[^\0]\0\0\0\1\x67", video)] + [len(video)]
stretches = [video[a:b] for a, b in zip(gop, gop[1:])]  # a mark stands before each IDR
def whole(out, tail):
    """out is some of the stretches, in order; with tail, of one only a beginning"""
    for i, s in enumerate(stretches):
        if out.startswith(s):
            out = out[len(s):]
            continue
        later = [out.find(t[:600]) for t in stretches[i + 1:]]
        n = min([k for k in later if k >= 0], default=len(out))
        if n and tail and s.startswith(out[:n]):
            out, tail = out[n:], False
    return not out
def run(data, *options):
    p = subprocess.run(["cam-open", "-k", "me.key", "-s", "door.pub", *options], input=data, capture_output=True)
    return p.returncode, p.stdout, p.stderr.decode()
def bend(kind):
    d = bytearray(good)
    if kind == "flip":
        i = random.randrange(len(d)); d[i] ^= 1 << random.randrange(8)
    elif kind == "cut":
        del d[random.randrange(1, len(d)):]
    elif kind == "lose":
        i = random.randrange(len(d)); del d[i:i + random.randrange(1, 3000)]
    elif kind == "add":
        i = random.randrange(len(d)); d[i:i] = os.urandom(random.randrange(1, 3000))
    elif kind == "record lost":
        a, n, t = random.choice(records[:-1]); del d[a:a + n]
    elif kind == "record again":
        a, n, t = random.choice(records); d[a:a] = d[a:a + n]
    elif kind == "zeros":
        i = random.randrange(len(d)); n = min(random.randrange(1, 3000), len(d) - i); d[i:i + n] = bytes(n)
    return bytes(d)
bad = 0
for i in range(int(sys.argv[3])):
    d = bend(sys.argv[1])
    if d == good:
        continue
    code, out, err = run(d)
    code2, out2, err2 = run(d, "-p")
    if code != 1 or not whole(out, "unproven" in err) or not err or code2 != 1 or not whole(out2, False):
        bad += 1
        print(sys.argv[1], i, code, code2, len(out), len(out2), err)
sys.exit(bad > 0)
END
for kind in flip cut lose add "record lost" "record again" zeros; do
	ok "$kind: whole stretches in order, exit 1" /usr/bin/python3 bend.py "$kind" 7 25
done

verdict() { # NAME WANTED COMMAND...: exit 1, and these verdicts, each once and sorted
	name=$1 want=$2; shift 2
	"$@" >out 2>tap.err
	code=$?
	is "$name" "$code: $(sed 's/^[^:]*: [^:]*: \([^:]*\):.*/\1/' tap.err | sort -u | paste -sd,)" "1: $want"
}
o() { cam-open -k me.key -s door.pub "$@"; }
: >empty
head -c 5000 /dev/urandom >junk
verdict "empty" "cam-open: nothing to open: no segment in the input" sh -c 'cam-open -k me.key -s door.pub empty'
verdict "junk" "not a segment" o junk
verdict "junk before" "not a segment" o junk good
ok "costs nothing" cmp out s.h264
verdict "junk between and behind" "duplicate,not a segment" o good junk good junk
ok "costs nothing" cmp out s.h264
verdict "without the camera's key" "unknown camera" cam-open -k me.key good
ok "all comes out" cmp out s.h264
verdict "another camera's key" "unknown camera" cam-open -k me.key -s yard.pub good
ok "nothing comes out" test ! -s out
verdict "another recipient" "not for this key" sh -c 'cam-key -g -n third; exec cam-open -k third.key -s door.pub good'
ok "nothing comes out" test ! -s out
cam-seal -i yard.key -r both <s.h264 >theirs 2>/dev/null
verdict "two cameras, one known" "unknown camera" o good theirs
ok "only that one comes out" cmp out s.h264
ok "two known ones" o -s yard.pub good theirs
cp door.epoch door.saved
cam-seal -i door.key -r both <s.h264 >second 2>/dev/null
ok "two starts follow each other" o good second
verdict "in the other order" "reordered" o second good
cp door.saved door.epoch
cam-seal -i door.key -r both <s.h264 >third 2>/dev/null
verdict "a restored card" "cloned or restored card" o good second third
rm door.epoch
cam-seal -i door.key -r both <s.h264 >fourth 2>/dev/null
verdict "the epoch file removed" "cloned or restored card" o good second fourth
rm door.epoch
cam-key -g -s other && cam-seal -i other.key -r both <s.h264 >o1 2>/dev/null
exits 1 "-V tells too" cam-open -V -s door.pub junk good
exits 0 "and is content with what is good" cam-open -V -s door.pub good second
exits 0 "-l lists" cam-open -l -s door.pub good
is "a line a segment" "$(grep -c ' ok$' tap.out)" 3
ok "a full disk is trouble" sh -c 'cam-open -k me.key -s door.pub good >/dev/full; test $? = 111'
ok "a player that goes away is none" sh -c '{ cam-open -k me.key -s door.pub good; echo $? >code; } | head -c 10; grep -qx 0 code'
tap_done
