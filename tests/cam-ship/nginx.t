#!/bin/sh
# defends: see.path
# cam-ship against nginx: what is stored is what was sent, outages, certificates, signals, odd files.
# shellcheck disable=SC2016,SC2317 # sh -c with arguments; functions that ok and waits call
. "$(dirname "$0")/../tap.sh"
# shellcheck source=servers.sh
. "$top/tests/cam-ship/servers.sh"
command -v nginx >/dev/null || skip_all "nginx is not installed"

make_ca
nginx_configure
mkdir spool
nginx_start || { cat nginx.log; exit 1; }
url=https://127.0.0.1:$port/cams/door/

segment 1 100000; segment 2 0; segment 3 5000000; segment 4 1
cp "spool/$(name 1)" "spool/$(name 9 | sed 's/cam$/part/')"
echo hello >spool/README
exits 0 "-1 stores everything" cam-ship -d spool -C ca.pem -1 "$url"
cp tap.out named; cp tap.err told
ok "and names it" acked named 1 2 3 4
exits 0 "all bytes are there under the right keys" stored "$url" 1 2 3 4
is "nothing else is there" "$(find www -type f | wc -l)" 4
exits 0 "-1 again finds it stored" cam-ship -d spool -C ca.pem -1 "$url"
cp tap.out named; cp tap.err told
ok "and names it again" acked named 1 2 3 4
is "without sending it again" "$(grep -c '"PUT.* 201 ' nginx-access.log)" 4

# One at a time, in the order asked for. Newest first, each fourth is the oldest, so that nothing waits for ever.
exits 0 "oldest first" cam-ship -d spool -C ca.pem -1 -j 1 -o oldest "$url"
is "oldest first: in order" "$(cat tap.out)" "$(for n in 1 2 3 4; do name $n; echo; done)"
mkdir many
for n in 1 2 3 4 5 6 7 8; do segment $n 100 many; done
exits 0 "newest first" cam-ship -d many -C ca.pem -1 -j 1 "${url}many/"
is "newest first: and a share for the oldest" "$(cut -c 12-21 tap.out | sed 's/^0*//' | tr '\n' ' ')" "8 7 6 1 5 4 3 2 "
for jobs in 1 4 16; do
	exits 0 "-j $jobs" cam-ship -d many -C ca.pem -1 -j $jobs "${url}jobs$jobs/"
	cp tap.out named
	ok "-j $jobs: each is named once" acked named 1 2 3 4 5 6 7 8
done
# At most that fast, with some play for what the first instant may take.
segment 9 600000 many
begun=$(date +%s%N)
exits 0 "at 200 kB/s" cam-ship -d many -C ca.pem -1 -l 200k -j 4 "${url}slow/"
took=$((($(date +%s%N) - begun) / 1000000))
ok "-l: no faster than allowed ($took ms)" [ $took -ge 2400 ]
for odd in 0 1 k 5x 99999999G -1; do exits 100 "-l $odd" cam-ship -d many -C ca.pem -l $odd "$url"; done
for odd in 0 17 x; do exits 100 "-j $odd" cam-ship -d many -C ca.pem -j $odd "$url"; done
exits 100 "-o sideways" cam-ship -d many -C ca.pem -o sideways "$url"
rm -r many www/cams/door/many www/cams/door/jobs* www/cams/door/slow

# A name printed earlier must not be believed when the store lost the object.
rm "www/cams/door/$(key 3)"
exits 0 "an object lost by the store" cam-ship -d spool -C ca.pem -1 "$url"
cp tap.out named; cp tap.err told
ok "is sent again" stored "$url" 1 2 3 4

# Conflict: other bytes lie under the key. Torn: the segment's first bytes do.
rm spool/*; segment 5 30000; segment 6 30000; segment 7 30000
echo other >"www/cams/door/$(key 5)"
head -c 1000 "spool/$(name 6)" >"www/cams/door/$(key 6)"
exits 111 "other bytes under the key: -1 fails" cam-ship -d spool -C ca.pem -1 "$url"
cp tap.out named; cp tap.err told
ok "and says conflict" grep -qE "$(name 5): conflict: " told
ok "only the others are named" acked named 6 7
ok "a torn copy is replaced" stored "$url" 6 7
is "other bytes are left alone" "$(cat "www/cams/door/$(key 5)")" other
is "no temporary object is left" "$(find www -name '*.tmp' | wc -l)" 0

# Certificates. Nothing may reach the server. It logs a request when it has answered it: the last one is waited for.
rm spool/*; segment 8 1000
answers "$port/last"
waits 60 grep -q 'GET /last' nginx-access.log
: >nginx-access.log
cam-ship -d spool -C other-ca.pem -1 "$url" >named 2>told &
other=$!
cam-ship -d spool -1 "$url" >system.named 2>system.told &
system=$!
exits 111 "a certificate for another name" cam-ship -d spool -C ca.pem -1 "https://127.0.0.2:$port/"
says "is refused" "unavailable: SSL: no alternative certificate subject name matches"
wait $other; is "a certificate of another CA: exit 111" $? 111
ok "is refused" grep -qE "unavailable: SSL" told
wait $system; is "the system's CAs do not know it either: exit 111" $? 111
is "and nothing is named" "$(cat named system.named)" ""
is "no request came through" "$(cat nginx-access.log)" ""

# Outage and return: a service, segments arriving all the time, the server killed in an upload. The more names lie in the
# directory the more seldom it is read: among so many each 64 s, so that what is stored sooner was announced.
rm spool/*; segment 10 1000
(cd spool && seq -f other%.0f 32000 | xargs touch)
fresh names log
cam-ship -d spool -C ca.pem "$url" </dev/null >names 2>log &
ship=$!
stop_at_end $ship
ok "a service stores what lies there" waits 60 lines names 1
segment 11 1000
ok "and what is renamed into the directory, at once" waits 30 lines names 2
head -c 70000 /dev/urandom >"spool/$(name 12)"
ok "and what is copied into it" waits 30 lines names 3
nginx_stop
segment 13 1000
ok "an outage is told" waits 30 grep -q "^cam-ship: $url: unavailable: " log
segment 14 20000000; segment 15 1000
sleep 2
nginx_start
ok "after it everything is stored" waits 180 lines names 6
ok "in order, each once" acked names 10 11 12 13 14 15
ok "byte for byte" stored "$url" 10 11 12 13 14 15
ok "and the end of the outage is told" grep -qE "^cam-ship: $url: reachable again after [0-9]+\.[0-9] s, [0-9]+ retr(y|ies)$" log
is "in two lines, not one per retry" "$(grep -c 'unavailable' log) $(grep -c again log)" "1 1"
cp names before
kill -STOP "$nginx_pid"
segment 16 30000000
waits 60 unread "$port"
kill $ship
wait $ship; is "SIGTERM in an upload that stands still: exit 0" $? 0
ok "with nothing acknowledged" cmp before names
nginx_stop

# Killed mid-upload: the server is slow enough to be caught, because it is stopped first.
fresh names log
cam-ship -d spool -C ca.pem "$url" </dev/null >names 2>log &
ship=$!
stop_at_end $ship
ok "no server at the start: it waits" waits 30 grep -q unavailable log
nginx_start
waits 180 lines names 6
kill -STOP "$nginx_pid"
segment 17 30000000
waits 60 unread "$port"
nginx_stop
nginx_start
ok "a server killed in an upload: stored afterwards" waits 180 lines names 8
ok "all of it" stored "$url" 10 11 12 13 14 15 16 17
kill -INT $ship
wait $ship; is "SIGINT: exit 0" $? 0

# End of stdin: a pipe's end means to store the rest and leave; /dev/null (above) means nothing.
rm spool/*; segment 20 1000; segment 21 1000
exits 0 "end of a pipe: store all and leave" sh -c 'printf "x\ny\n" | timeout 300 cam-ship -d spool -C ca.pem "$1"' sh "$url"
cp tap.out named; cp tap.err told
ok "all was named" acked named 20 21
nginx_stop
segment 22 1000
mkfifo bell
fresh names log
cam-ship -d spool -C ca.pem "$url" <bell >names 2>log &
ship=$!
stop_at_end $ship
echo >bell
waits 30 grep -q unavailable log
ok "end of a pipe in an outage: it stays" kill -0 $ship
nginx_start
wait $ship; is "and leaves when all is stored: exit 0" $? 0
ok "which is so" acked names 20 21 22
exits 0 "stdin closed" sh -c 'cam-ship -d spool -C ca.pem -1 "$1" <&-' sh "$url"
mkfifo left
exits 0 "a reader that has left: exit 0" sh -c 'true <left & exec 3>left; wait; timeout 300 cam-ship -d spool -C ca.pem "$1" </dev/null >&3' sh "$url"
cp tap.out named; cp tap.err told

# Readiness
echo >newline
fresh ready log
cam-ship -d spool -C ca.pem -D 3 "$url" </dev/null 3>ready >/dev/null 2>log &
ship=$!
stop_at_end $ship
ok "-D: ready" waits 60 cmp -s ready newline
kill $ship; wait $ship

# Files that are not as they should be. Not root, which may read everything.
mkdir odd; chmod 755 "$T" odd
segment 30 1000 odd; segment 31 1000 odd; segment 35 1000 odd; chmod 000 "odd/$(name 30)"
ln -s "$T/ca.key" "odd/$(name 32)"
mkdir "odd/$(name 33)"
mkfifo "odd/$(name 34)"
ln -s /nonexistent "odd/$(name 36)"
as=
if [ "$(id -u)" = 0 ]; then as="setpriv --reuid 65534 --regid 65534 --clear-groups"; chmod 644 ca.pem; fi
# shellcheck disable=SC2086
exits 111 "odd files" $as env PATH="$PATH" cam-ship -d odd -C ca.pem -1 "$url"
cp tap.out named; cp tap.err told
ok "do not block the others" acked named 31 35
ok "unreadable" grep -q "$(name 30): open: Permission denied: set aside for 30 s" told
ok "symbolic link" grep -q "$(name 32): open: Too many levels" told
ok "directory" grep -q "$(name 33): not a regular file" told
ok "FIFO" grep -q "$(name 34): not a regular file" told

# A file that changes while it is sent is not acknowledged. nginx stands still in between.
rm -rf spool; mkdir spool; segment 40 3000000; segment 41 1000; segment 42 1000; segment 43 1000
kill -STOP "$nginx_pid"
fresh names log
cam-ship -d spool -C ca.pem -o oldest -j 1 "$url" </dev/null >names 2>log &
ship=$!
stop_at_end $ship
waits 60 unread "$port" # which is after it has read the file
echo more >>"spool/$(name 40)"
rm "spool/$(name 42)"
kill -CONT "$nginx_pid"
ok "a changing file is set aside" waits 60 grep -q "$(name 40): changed while it was sent" log
ok "the next ones are stored" waits 180 lines names 2
ok "and one that vanished is no matter" acked names 41 43
mv spool elsewhere
wait $ship; is "the directory is gone: exit 111" $? 111
ok "and that is told" grep -q "spool: the directory is gone" log
tap_done
