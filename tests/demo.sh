#!/bin/sh
# demo.sh FOLDER: the whole chain, seen. Records the test pattern for 15 s, seals it, keeps it through an outage
# of the server, ships it over TLS, fetches it back with curl, verifies, opens and decodes it. What it made is
# left in FOLDER. Exits 1 if a single frame is missing.
set -eu

out=$1
seconds=15
rm -rf "$out"
mkdir -p "$out/spool" "$out/www" "$out/nginx" "$out/fetched"
cd "$out"
say() { echo "demo: $*"; }
pids=
stop_all() {
	for p in $pids; do kill "$p" 2>/dev/null || :; done
	wait 2>/dev/null || :
}
trap stop_all EXIT
trap 'exit 1' INT TERM HUP

say "keys: an owner's, a second one to keep elsewhere, the camera's"
cam-key -g -n me
cam-key -g -n spare
cam-key -g -s door
cat me.pub spare.pub >recipients

# a port that nothing answers on
port=28443
while curl -sk -o /dev/null "https://localhost:$port/"; do port=$((port + 1)); done
url=https://localhost:$port/cams/door/
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout nginx/key.pem -out ca.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat >nginx/nginx.conf <<C
daemon off;
worker_processes 1;
pid $PWD/nginx/pid;
error_log $PWD/nginx/error.log;
events { worker_connections 64; }
http {
	access_log $PWD/nginx/access.log;
	client_body_temp_path $PWD/nginx/body;
	proxy_temp_path $PWD/nginx/proxy;
	fastcgi_temp_path $PWD/nginx/fastcgi;
	uwsgi_temp_path $PWD/nginx/uwsgi;
	scgi_temp_path $PWD/nginx/scgi;
	client_max_body_size 1g;
	server {
		listen 127.0.0.1:$port ssl;
		ssl_certificate $PWD/ca.pem;
		ssl_certificate_key $PWD/nginx/key.pem;
		root $PWD/www;
		autoindex on;
		dav_methods PUT DELETE MKCOL MOVE;
		create_full_put_path on;
	}
}
C
[ "$(id -u)" != 0 ] || sed -i '1i user root;' nginx/nginx.conf

nginx_start() {
	nginx -e nginx/error.log -p "$PWD" -c "$PWD/nginx/nginx.conf" &
	nginx_pid=$!
	pids="$pids $nginx_pid"
	n=0
	until curl -s --cacert ca.pem -o /dev/null "https://localhost:$port/"; do
		n=$((n + 1))
		[ $n -lt 50 ] || { say "nginx does not start:"; cat nginx/error.log; exit 1; }
		sleep 0.1
	done
}

nginx_stop() {
	kill "$nginx_pid"
	wait "$nginx_pid" 2>/dev/null || :
}

nginx_start
say "recording $seconds s at 720p30; the server goes away for 5 s in the middle"
mkfifo pipe
cam-ship -d spool -C ca.pem "$url" <pipe 2>ship.log | cam-reap spool &
ship_pid=$!
sh -c 'echo $$ >capture.pid; exec cam-capture -T -s 1280x720 -r 30 -b 4M' 2>capture.log | tee recorded.h264 |
	cam-seal -i door.key -r recipients -t 2 2>seal.log | cam-spool spool 2>spool.log >pipe &
record_pid=$!
pids="$pids $ship_pid $record_pid"
sleep 5
nginx_stop
say "server down; $(find spool -name '*.cam' | wc -l) segments waiting"
sleep 5
say "server back; $(find spool -name '*.cam' | wc -l) segments waiting"
nginx_start
sleep $((seconds - 10))
kill "$(cat capture.pid)"
wait "$record_pid"
say "recorded; waiting for the spool to drain"
wait "$ship_pid"
left=$(find spool -name '*.cam' -o -name '*.part' | wc -l)

say "fetching what the server has, with curl"
for folder in $(curl -sf --cacert ca.pem "$url" | grep -o 'href="[0-9-]*/"' | cut -d'"' -f2); do
	for name in $(curl -sf --cacert ca.pem "$url$folder" | grep -o 'href="[^"]*[.]cam"' | cut -d'"' -f2); do
		curl -sf --cacert ca.pem -o "fetched/$name" "$url$folder$name"
	done
done
nginx_stop

verdict=$(cam-open -V -s door.pub fetched/*.cam) && ok=verified || ok="NOT VERIFIED"
cam-open -k me.key -s door.pub fetched/*.cam >opened.h264 || :
cam-open -k spare.key -s door.pub fetched/*.cam | cmp -s - opened.h264 || { say "the spare key opens something else"; ok="NOT VERIFIED"; }
frames_md5() { ffmpeg -v error -i "$1" -f framemd5 - | grep -v '^#' | awk '{print $NF}'; }
frames_md5 recorded.h264 >recorded.md5
frames_md5 opened.h264 >opened.md5
ffmpeg -v error -y -r 30 -i opened.h264 -vf 'fps=1,scale=320:-2,tile=4x4' -frames:v 1 sheet.png
in=$(wc -l <recorded.md5)
same=$(cmp -s recorded.md5 opened.md5 && echo identical || echo DIFFERENT)
plain=$(stat -c %s opened.h264)
sealed=$(cat fetched/*.cam | wc -c)
offline=$(sed -n 's/.*reachable again after \([0-9.]*\) s.*/\1/p' ship.log | tail -n 1)
retries=$(sed -n 's/.*reachable again after .* s, \([0-9]*\) retr.*/\1/p' ship.log | tail -n 1)

cat <<C

  frames in     $in
  frames out    $(wc -l <opened.md5), each one $same to what was recorded
  segments      $(find fetched -name '*.cam' | wc -l), left in the spool $left
  bytes         $plain of video, $sealed sealed
  overhead      $(awk "BEGIN { printf \"%.2f\", ($sealed - $plain) * 100 / $plain }") %
  offline       ${offline:-?} s, ${retries:-?} retries
  verdict       $ok

  $PWD/sheet.png      a frame a second
  $PWD/opened.h264    play it: ffplay $PWD/opened.h264
  $PWD/fetched/       what the server has: cam-open -l -s door.pub fetched/*.cam

C
if [ "$in" -gt 0 ] && [ "$same" = identical ] && [ "$left" = 0 ] && [ "$ok" = verified ] && [ "$offline" ]; then exit 0; fi
say "FAILED"
printf '%s\n' "$verdict"
cat ./*.log
exit 1
