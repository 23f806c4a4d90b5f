#!/bin/sh
# defends: see.recipient see.laptop
# cam-key, and what each tool says to a key that is wrong, damaged or in the wrong place.
. "$(dirname "$0")/../tap.sh"

mode() { stat -c %a "$1"; }

# --- making them ---
exits 100 "no arguments" cam-key
exits 100 "no name" cam-key -g
exits 100 "two names" cam-key -g -n a b
exits 100 "-n and -P" cam-key -g -n -P 3 a
exits 100 "-P for a camera" cam-key -g -s -P 3 a
exits 100 "an empty name" cam-key -g -n ""
exits 100 "a folder" cam-key -g -n ./
exits 100 "-g twice" cam-key -g -g -n a
is "nothing was made" "$(ls)" "$(printf 'tap.err\ntap.out')"
exits 111 "a folder that is not there" cam-key -g -n nowhere/a
umask 000
ok "a key without passphrase" cam-key -g -n me
is "modes" "$(mode me.key) $(mode me.pub)" "600 644"
is "one line each" "$(cat me.key me.pub | wc -l)" 2
ok "a camera's key" cam-key -g -s door
is "modes" "$(mode door.key) $(mode door.pub)" "600 644"
umask 022
sums=$(md5sum me.key me.pub)
exits 1 "never overwrites" cam-key -g -n me
says "and says so" 'me.key: exists'
is "and leaves both as they were" "$(md5sum me.key me.pub)" "$sums"
rm me.key
exits 1 "not even the public half" cam-key -g -n me
says "and says so" 'me.pub: exists'
ok "no secret is made then" test ! -e me.key
cam-key -g -n me2 && mv me2.key me.key && mv me2.pub me.pub
cp me.key copy.key
exits 1 "nor the secret half" cam-key -g -n copy
ln -s nowhere link.key
exits 1 "nor follows a link" cam-key -g -n link
ok "which leads nowhere still" test ! -e nowhere
rm -f link.* copy.*

# --- passphrases ---
echo secret >pass; echo wrong >badpass; printf 'secret' >noeol; : >nopass; head -c 1500 /dev/zero | tr '\0' a >longpass
ok "a passphrase from a descriptor" sh -c 'cam-key -g -P 5 you 5<pass'
ok "is used" grep -q '^cam-recipient-secret1 [^ ]* argon2id ' you.key
exits 100 "an empty one" sh -c 'cam-key -g -P 5 x 5<nopass'
exits 100 "one that is too long" sh -c 'cam-key -g -P 5 x 5<longpass'
exits 100 "a descriptor that is not open" cam-key -g -P 77 x
exits 100 "nobody to ask" setsid -w cam-key -g x
ok "nothing was made" test ! -e x.key -a ! -e x.pub

cat me.pub you.pub >both
cam-seal -i door.key -r both </dev/null >none 2>tap.err
printf '\0\0\0\1\147\102\0\12\370\0\0\0\1\150\316\70\200\0\0\0\1\145\210\1\2\3' >in
cam-seal -i door.key -r both <in >sealed
opens() { # NAME COMMAND: its output is what was sealed
	name=$1; shift
	"$@" >out 2>tap.err && cmp in out >tap.out 2>&1
	tap_result $? "$name"
}
opens "opens with the passphrase" sh -c 'cam-open -k you.key -s door.pub -P 5 sealed 5<pass'
opens "without a newline behind it" sh -c 'cam-open -k you.key -s door.pub -P 5 sealed 5<noeol'
opens "and without one with the other key" cam-open -k me.key -s door.pub sealed
exits 100 "not with a wrong one" sh -c 'cam-open -k you.key -s door.pub -P 5 sealed 5<badpass'
says "and says so" 'you.key: wrong passphrase'
ok "and nothing comes out" test ! -s tap.out

# a real terminal: cam-key asks twice, cam-open once, nothing is echoed
cat >terminal.py <<'END'
import os, pty, signal, sys, termios, time, select
answers = sys.argv[1].split(",")
pid, fd = pty.fork()
if not pid:
    os.execvp(sys.argv[2], sys.argv[2:])
shown, echoed = b"", 0
def until(mark):
    global shown
    end = time.monotonic() + 60
    while shown.count(mark) == 0 and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                shown += os.read(fd, 4096)
            except OSError:
                return
for a in answers:
    until(b": ")
    echoed += termios.tcgetattr(fd)[3] & termios.ECHO
    print(shown.decode().strip(), file=sys.stderr)
    shown = b""
    os.write(fd, b"\3" if a == "^C" else a.encode() + b"\n")
until(b"\0")
print(shown.decode().strip(), file=sys.stderr)
if echoed or any(a.encode() in shown for a in answers):
    sys.exit(99)
for _ in range(1200):
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        sys.exit(os.waitstatus_to_exitcode(status))
    time.sleep(0.05)
os.kill(pid, signal.SIGKILL)
sys.exit(98)
END
ok "asks on a terminal" /usr/bin/python3 terminal.py geheim,geheim cam-key -g term
is "twice" "$(grep -c : tap.err)" 2
ok "and makes the key" test -s term.key -a -s term.pub
exits 100 "two that differ are refused" /usr/bin/python3 terminal.py geheim,anders cam-key -g y
says "and says so" 'the two are not the same'
exits 100 "^C gives up" /usr/bin/python3 terminal.py '^C' cam-key -g y
ok "nothing is made" test ! -e y.key -a ! -e y.pub
cam-seal -i door.key -r term.pub <in >forterm 2>/dev/null
ok "cam-open asks too" /usr/bin/python3 terminal.py geheim sh -c 'cam-open -k term.key -s door.pub forterm >out'
ok "and opens" cmp in out

# --- each kind in each wrong place ---
for key in me.pub:"recipient's public" me.key:"SECRET recipient key" door.pub:"camera's public"; do
	exits 100 "cam-seal -i ${key%%:*}" cam-seal -i "${key%%:*}" -r both </dev/null
	says "names what it is" "${key%%:*}: a.*${key#*:}"
done
for key in me.key:"SECRET recipient key" door.pub:"camera's public" door.key:"SECRET signing key"; do
	exits 100 "cam-seal -r ${key%%:*}" cam-seal -i door.key -r "${key%%:*}" </dev/null
	says "names what it is" "${key%%:*}: a.*${key#*:}"
done
for key in me.pub:"recipient's public" door.pub:"camera's public" door.key:"signing key"; do
	exits 100 "cam-open -k ${key%%:*}" cam-open -k "${key%%:*}" -s door.pub sealed
	says "names what it is" "${key%%:*}: a.*${key#*:}"
done
for key in me.pub:"recipient's public" me.key:"SECRET recipient key" door.key:"SECRET signing key"; do
	exits 100 "cam-open -s ${key%%:*}" cam-open -k me.key -s "${key%%:*}" sealed
	says "names what it is" "${key%%:*}: a.*${key#*:}"
done
exits 100 "a key that is not there" cam-seal -i nowhere.key -r both </dev/null
says "is named" 'nowhere.key: No such file'
head -c 70000 /dev/zero >zeros
for f in zeros /dev/zero in /dev/null both; do exits 100 "$f is no signing key" cam-seal -i $f -r both </dev/null; done
cat door.key door.key >two.key
exits 100 "nor are two of them" cam-seal -i two.key -r both </dev/null
says "and says so" 'more than one key'

# --- damaged ---
/usr/bin/python3 - <<'END'
import base64, hashlib, os
def secret(line):
    """as X25519 uses it: five bits of the 256 do not count, and changed ones are the same key"""
    try:
        k = bytearray(base64.b64decode(line.split()[3] + "=", altchars=b"-_", validate=True))
        k[0] &= 248; k[31] = k[31] & 127 | 64
        return bytes(k)
    except (ValueError, IndexError):
        return None
def variants(name, folder):
    line = open(name).read().rstrip("\n")
    os.mkdir(folder)
    for i, c in enumerate(line):
        bent = line[:i] + ("B" if c != "B" else "C") + line[i + 1:]
        if "recipient-secret" not in line or i < line.rindex(" ") or secret(bent) != secret(line):
            open("%s/%03d" % (folder, i), "w").write(bent + "\n")
        if i % 8 == 0:
            open("%s/cut%03d" % (folder, i), "w").write(line[:i] + "\n")
    open("%s/longer" % folder, "w").write(line + "A\n")
    open("%s/more" % folder, "w").write(line + " A\n")
variants("me.pub", "bentpub")
variants("door.key", "bentdoor")
variants("me.key", "bentme")
check = lambda head, pk: hashlib.blake2b(b"cam1 key".ljust(16, b"\0") + head.encode() + pk, digest_size=32).digest()[:4]
b = lambda x: base64.urlsafe_b64encode(x).decode().rstrip("=")
p = (2**255 - 19).to_bytes(32, "little")
for i, low in enumerate([bytes(32), b"\1" + bytes(31), bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
                         bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"), p]):
    open("low%d" % i, "w").write("cam-recipient1 %s\n" % b(low + check("cam-recipient1 ", low)))
me, you = open("me.key").read().split(), open("you.key").read().split()
open("swapped.key", "w").write(" ".join([me[0], you[1]] + me[2:]) + "\n")
open("swapped2.key", "w").write(" ".join([you[0], me[1]] + you[2:]) + "\n")
costs = [("99999999999999999999", you[4]), ("17", you[4]), ("0", you[4]), ("4294967296", you[4]), (you[3], "1048577"), (you[3], "18014398509481984"),
         (you[3], "7"), (you[3], "-1"), (you[3], "0x10"), (str(int(you[3]) + 1), you[4])]
for i, (ops, mem) in enumerate(costs):
    open("cost%d" % i, "w").write(" ".join(you[:3] + [ops, mem] + you[5:]) + "\n")
END
refused() { # FOLDER COMMAND...: is refused with 100 for each file in the folder
	folder=$1; shift
	bad=
	for f in "$folder"/*; do
		"$@" "$f" </dev/null >tap.out 2>tap.err
		code=$?
		if [ $code != 100 ] || ! grep -q "$f: " tap.err; then bad="$bad $f:$code"; fi
	done
	is "each of $(ls "$folder" | wc -l) damages to it is refused" "$bad" ""
}
refused bentdoor cam-seal -r both -i
refused bentpub cam-seal -i door.key -r
refused bentme cam-open -s door.pub -k
# in a locked one the passphrase's box covers the whole line
mkdir bentyou && /usr/bin/python3 - <<'END'
line = open("you.key").read().rstrip("\n")
fields = [0, 25, 70, 80, 82, 90, len(line) - 90, len(line) - 50, len(line) - 2]
for i in fields:
    open("bentyou/%03d" % i, "w").write(line[:i] + ("B" if line[i] != "B" else "C") + line[i + 1:] + "\n")
END
refused bentyou sh -c 'exec cam-open -P 5 -s door.pub -k "$0" sealed 5<pass'
exits 100 "a public key that is another one's" cam-open -k swapped.key sealed
says "and says so" 'do not belong together'
exits 100 "in a locked one too" sh -c 'cam-open -P 5 -k swapped2.key sealed 5<pass'
bad=
for f in cost[0-8]; do
	timeout 60 sh -c 'cam-open -P 5 -k "$0" sealed 5<pass' "$f" >tap.out 2>tap.err
	code=$?
	if [ $code != 100 ] || ! grep -q 'cost is out of range' tap.err; then bad="$bad $f:$code"; fi
done
is "costs out of range are refused at once" "$bad" ""
exits 100 "another cost than it was made with" sh -c 'cam-open -P 5 -k cost9 sealed 5<pass'
exits 100 "a locked signing key" sh -c 'sed "s/recipient/device/" you.key >locked.key; cam-seal -i locked.key -r both </dev/null'
says "is told that a camera starts alone" 'passphrase'

# --- recipients ---
for i in 0 1 2 3 4; do
	exits 100 "a recipient of low order" cam-seal -i door.key -r low$i </dev/null
	says "is named so" 'low order'
done
cat both me.pub >twice
exits 100 "the same recipient twice" cam-seal -i door.key -r twice </dev/null
says "is named" 'the same key twice'
: >many
for i in $(seq 33); do cam-key -g -n r"$i" && cat r"$i".pub >>many; done
exits 100 "33 recipients are too many" cam-seal -i door.key -r many </dev/null
head -n 32 many >max
cam-seal -i door.key -r max <in >sealed32
tap_result $? "32 are not"
opens "the first opens" cam-open -k r1.key -s door.pub sealed32
opens "the last opens" cam-open -k r32.key -s door.pub sealed32
exits 1 "the next does not" cam-open -k r33.key -s door.pub sealed32
says "and says so" 'not for this key'
opens "one of many keys is enough" cam-open -k r33.key -k me.key -k r7.key -s door.pub sealed32
{ echo '# who may open'; echo; cat me.pub; printf '  \n\n#cam-recipient1 nonsense\n'; cat you.pub; } >comments
cam-seal -i door.key -r comments <in >sealed 2>tap.err
tap_result $? "comments and blank lines are skipped"
opens "and both keys open" cam-open -k me.key -s door.pub sealed
{ cat me.pub; echo nonsense; } >nonsense
exits 100 "other lines are not" cam-seal -i door.key -r nonsense </dev/null
exits 0 "one recipient" cam-seal -i door.key -r me.pub </dev/null
says "is warned of" 'only one recipient'

# --- others may read it ---
chmod 644 door.key
exits 0 "a signing key that others may read" cam-seal -i door.key -r both </dev/null
says "is warned of" 'others may read the signing key .mode 0644'
chmod 400 door.key
exits 0 "0400" cam-seal -i door.key -r both </dev/null
is "is not" "$(cam-seal -i door.key -r both </dev/null 2>&1)" ""

# --- usage of cam-open ---
exits 100 "cam-open without a key" cam-open sealed
exits 100 "-V with a key" cam-open -V -k me.key sealed
exits 100 "-l and -V" cam-open -l -V sealed
exits 100 "-l with -p" cam-open -l -p sealed
exits 111 "a file that is not there" cam-open -V -s door.pub nowhere.cam
says "is named" 'nowhere.cam: No such file'
exits 1 "nothing" cam-open -V -s door.pub /dev/null
says "is told" 'no segment'
tap_done
