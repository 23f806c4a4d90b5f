#!/bin/sh
# swift.sh: an OpenStack Swift of our own on loopback, one of each server and one copy, with its S3 interface and TLS.
#
#     swift.sh start DIR CERT KEY     prints the proxy's https port
#     swift.sh stop DIR
#
# The user cam:door has access key cam:door and the secret key camsecret. DIR's file system must have user xattrs.
set -eu
verb=$1 D=$2
shift 2

# storage SERVER PORT
storage() {
	cat >"$D/$1.conf" <<-C
		[DEFAULT]
		bind_ip = 127.0.0.1
		bind_port = $2
		user = $(id -un)
		swift_dir = $D
		devices = $D/devices
		mount_check = false
		disable_fallocate = true
		workers = 0
		[pipeline:main]
		pipeline = $1-server
		[app:$1-server]
		use = egg:swift#$1
	C
	swift-ring-builder "$D/$1.builder" create 2 1 1
	swift-ring-builder "$D/$1.builder" add "r1z1-127.0.0.1:$2/disk" 1
	swift-ring-builder "$D/$1.builder" rebalance
	"swift-$1-server" "$D/$1.conf" >"$D/$1.log" 2>&1 &
	echo $! >"$D/run/$1.pid"
}

start() {
	mkdir -p "$D/run" "$D/devices/disk"
	read -r https account container object memcache <<-P
		$(/usr/bin/python3 "$(dirname "$0")/ports.py" "$D" 5)
	P
	echo "$https" >"$D/port"
	as=
	[ "$(id -u)" != 0 ] || as="-u nobody"
	memcached $as -l 127.0.0.1 -p "$memcache" -m 16 &
	echo $! >"$D/run/memcached.pid"
	storage account "$account"
	storage container "$container"
	storage object "$object"
	cat >"$D/proxy.conf" <<-C
		[DEFAULT]
		bind_ip = 127.0.0.1
		bind_port = $https
		user = $(id -un)
		swift_dir = $D
		cert_file = $1
		key_file = $2
		workers = 0
		[pipeline:main]
		pipeline = catch_errors gatekeeper proxy-logging listing_formats cache s3api tempauth copy slo dlo proxy-server
		[app:proxy-server]
		use = egg:swift#proxy
		account_autocreate = true
		[filter:catch_errors]
		use = egg:swift#catch_errors
		[filter:gatekeeper]
		use = egg:swift#gatekeeper
		[filter:proxy-logging]
		use = egg:swift#proxy_logging
		[filter:listing_formats]
		use = egg:swift#listing_formats
		[filter:cache]
		use = egg:swift#memcache
		memcache_servers = 127.0.0.1:$memcache
		[filter:s3api]
		use = egg:swift#s3api
		[filter:tempauth]
		use = egg:swift#tempauth
		user_cam_door = camsecret .admin
		[filter:copy]
		use = egg:swift#copy
		[filter:slo]
		use = egg:swift#slo
		[filter:dlo]
		use = egg:swift#dlo
	C
	proxy
}

proxy() {
	swift-proxy-server "$D/proxy.conf" >>"$D/proxy.log" 2>&1 &
	echo $! >"$D/run/proxy.pid"
	for _ in $(seq 600); do
		curl -s -k -m 30 -o "$D/probe" "https://127.0.0.1:$(cat "$D/port")/" && return
		sleep 0.2
	done
	return 1
}

case $verb in
start)
	start "$@" >"$D.log" 2>&1 || { cat "$D.log" "$D"/*.log >&2; exit 1; }
	cat "$D/port"
	;;
stop)
	for pid_file in "$D"/run/*.pid; do
		[ -s "$pid_file" ] || continue
		pid=$(cat "$pid_file")
		grep -q -a -e "$D/" -e '^memcached' "/proc/$pid/cmdline" 2>/dev/null || continue
		kill -9 "$pid"
	done
	;;
esac
