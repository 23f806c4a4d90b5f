#!/bin/sh
# ceph.sh: a Ceph object store of our own on loopback: one monitor, one OSD in memory or several on disk that hold
# a copy each, the S3 gateway with TLS.
#
#     ceph.sh start DIR CERT KEY [OSDS]   prints the gateway's https port
#     ceph.sh stop DIR
#     ceph.sh gateway-stop DIR, gateway-start DIR
#     ceph.sh osd-start DIR N         one that was killed
#     ceph.sh bucket DIR NAME         as the user cam
#     ceph.sh admin DIR ARGUMENT...   radosgw-admin
#
# CEPH_BYTES: what fits into memory, 1 GiB by default. The user cam has access key CAMKEY0000000000001 and the secret key in DIR/secret. DIR must be short (sockets).
set -eu
verb=$1 D=$2
shift 2

start() {
	cert=$1 key=$2 osds=${3:-1}
	store=memstore
	[ "$osds" = 1 ] || store=bluestore
	mkdir -p "$D/mon.a" "$D/run" "$D/log"
	read -r mon2 mon1 http https <<-P
		$(/usr/bin/python3 "$(dirname "$0")/ports.py" "$D" 4)
	P
	fsid=$(cat /proc/sys/kernel/random/uuid)
	echo "$https" >"$D/port"
	echo camsecretcamsecretcamsecretcamsecret0001 >"$D/secret"
	cat >"$D/ceph.conf" <<-C
		[global]
		fsid = $fsid
		mon_host = [v2:127.0.0.1:$mon2,v1:127.0.0.1:$mon1]
		public_addr = 127.0.0.1
		cluster_addr = 127.0.0.1
		auth_allow_insecure_global_id_reclaim = false
		keyring = $D/keyring
		osd_pool_default_size = $osds
		osd_pool_default_min_size = $((osds / 2 + 1))
		osd_pool_default_pg_num = 4
		osd_pool_default_pgp_num = 4
		osd_pool_default_pg_autoscale_mode = off
		mon_allow_pool_size_one = true
		mon_max_pg_per_osd = 2000
		osd_crush_chooseleaf_type = 0
		mon_data = $D/mon.a
		osd_data = $D/osd.\$id
		run_dir = $D/run
		admin_socket = $D/run/\$cluster-\$name.asok
		log_file = $D/log/\$name.log
		pid_file = $D/run/\$name.pid
		osd_objectstore = $store
		memstore_device_bytes = ${CEPH_BYTES:-1073741824}
		bluestore_block_size = 4294967296
		bluestore_fsck_on_mount = false
		rgw_user_quota_bucket_sync_interval = 1
		rgw_bucket_quota_ttl = 1
		osd_max_object_name_len = 460
		osd_max_object_namespace_len = 64
		mon_data_avail_warn = 1
		mon_data_avail_crit = 1
		ms_bind_ipv6 = false
		paxos_propose_interval = 0.05
		paxos_min_wait = 0.01
		[client.rgw]
		rgw_frontends = beast endpoint=127.0.0.1:$http ssl_endpoint=127.0.0.1:$https ssl_certificate=$cert ssl_private_key=$key
		rgw_dns_name = localhost
		rgw_run_sync_thread = false
	C
	monmaptool --create --clobber --addv a "[v2:127.0.0.1:$mon2,v1:127.0.0.1:$mon1]" --fsid "$fsid" "$D/monmap"
	ceph-authtool --create-keyring "$D/keyring" --gen-key -n mon. --cap mon 'allow *'
	ceph-authtool "$D/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
	ceph-authtool "$D/keyring" --gen-key -n client.rgw --cap mon 'allow *' --cap osd 'allow *'
	for osd in $(seq 0 $((osds - 1))); do
		ceph-authtool "$D/keyring" --gen-key -n "osd.$osd" --cap mon 'allow profile osd' --cap osd 'allow *'
	done
	ceph-mon -c "$D/ceph.conf" --mkfs -i a --monmap "$D/monmap" --keyring "$D/keyring"
	ceph-mon -c "$D/ceph.conf" -i a
	for osd in $(seq 0 $((osds - 1))); do
		uuid=$(cat /proc/sys/kernel/random/uuid)
		ceph -c "$D/ceph.conf" osd new "$uuid"
		mkdir "$D/osd.$osd"
		ceph-osd -c "$D/ceph.conf" -i "$osd" --mkfs --osd-uuid "$uuid"
		ceph-osd -c "$D/ceph.conf" -i "$osd"
	done
	gateway
	radosgw-admin -c "$D/ceph.conf" -n client.rgw user create --uid cam --display-name cam \
		--access-key CAMKEY0000000000001 --secret-key "$(cat "$D/secret")"
}

gateway() {
	radosgw -c "$D/ceph.conf" -n client.rgw
	for _ in $(seq 600); do
		curl -s -k -m 30 -o "$D/probe" "https://127.0.0.1:$(cat "$D/port")/" && return
		sleep 0.2
	done
	return 1
}

# stop_one PIDFILE: its pid may have been reused only if it no longer runs our configuration.
stop_one() {
	[ -s "$1" ] || return 0
	pid=$(cat "$1")
	grep -q -a "$D/ceph.conf" "/proc/$pid/cmdline" 2>/dev/null || return 0
	kill -9 "$pid"
	while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

case $verb in
start)
	start "$@" >"$D.log" 2>&1 || { cat "$D.log" >&2; exit 1; }
	cat "$D/port"
	;;
stop) for pid_file in "$D"/run/*.pid; do stop_one "$pid_file"; done ;;
gateway-stop) stop_one "$D/run/client.rgw.pid" ;;
gateway-start) gateway ;;
osd-start) ceph-osd -c "$D/ceph.conf" -i "$1" >>"$D.log" 2>&1 ;;
bucket)
	# curl 7.88 does not send the hash of the (empty) body itself.
	curl -s -f -k -X PUT -H "x-amz-content-sha256: $(sha256sum </dev/null | cut -c 1-64)" --aws-sigv4 aws:amz:us-east-1:s3 -u "CAMKEY0000000000001:$(cat "$D/secret")" \
		"https://127.0.0.1:$(cat "$D/port")/$1"
	;;
admin) radosgw-admin -c "$D/ceph.conf" -n client.rgw "$@" ;;
esac
