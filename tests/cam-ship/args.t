#!/bin/sh
# cam-ship: wrong arguments and missing settings are told before anything is opened or sent.
# shellcheck disable=SC2016,SC2317 # sh -c with arguments; functions that ok and waits call
. "$(dirname "$0")/../tap.sh"

unset AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION
mkdir spool
url=https://localhost:1/

exits 100 "no arguments" cam-ship
says "usage" '^cam-ship: .*usage: cam-ship -d DIR'
exits 100 "no URL" cam-ship -d spool
exits 100 "two URLs" cam-ship -d spool $url $url
exits 100 "no -d" cam-ship $url
exits 100 "-d twice" cam-ship -d spool -d spool $url
exits 100 "unknown option" cam-ship -d spool -x $url
exits 100 "-D 2" cam-ship -d spool -D 2 $url
exits 100 "-T 0" cam-ship -d spool -T 0 $url
exits 100 "http" cam-ship -d spool http://localhost:1/
says "http: told" 'http://localhost:1/: http is not encrypted: use https'
exits 100 "http to another host, even with -H" cam-ship -d spool -H http://192.0.2.1/
says "http: told" 'only for this machine'
exits 100 "password in the URL" cam-ship -d spool https://user:password@localhost:1/
exits 100 "not a URL" cam-ship -d spool localhost
exits 100 "S3 without an endpoint" cam-ship -d spool s3://bucket/
says "S3: told" 'AWS_(ENDPOINT_URL|ACCESS_KEY_ID) is not set'
exits 100 "S3 without a key" env AWS_ENDPOINT_URL=$url cam-ship -d spool s3://bucket/
says "S3: told" 'AWS_ACCESS_KEY_ID is not set'
exits 100 "S3 without a secret" env AWS_ENDPOINT_URL=$url AWS_ACCESS_KEY_ID=id cam-ship -d spool s3://bucket/
says "S3: told" 'AWS_SECRET_ACCESS_KEY is not set'
exits 100 "S3 over http" env AWS_ENDPOINT_URL=http://localhost:1 AWS_ACCESS_KEY_ID=id AWS_SECRET_ACCESS_KEY=s cam-ship -d spool s3://bucket/
exits 111 "no directory" cam-ship -d missing $url
says "no directory: told" '^cam-ship: missing: No such file or directory$'
exits 111 "no CA file" cam-ship -d spool -C missing.pem $url
exits 0 "-1 with nothing to do" cam-ship -d spool -1 $url
head -c 10 /dev/zero >spool/0000000001-0000000001-20261123T210000Z-0123456789abcdef.cam
exits 111 "-1 without a server gives up" timeout 300 cam-ship -d spool -1 $url
exits 0 "-H: http to this machine is tried" sh -c 'timeout 300 cam-ship -d spool -1 -H http://localhost:1/ 2>&1 | grep "unavailable: Failed to connect"'
# A proxy that the environment names is not used: it would be told the host.
exits 111 "no proxy" env https_proxy=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 all_proxy=http://127.0.0.1:9 \
	timeout 300 cam-ship -d spool -1 $url
says "no proxy: told" 'Failed to connect to localhost port 1'
tap_done
