# shellcheck shell=dash
# supervise: what s6-rc does with the services of an image, where s6-rc cannot be had: s6-svscan, the holder of pipes, and
# behind them the scripts that hardened.t has put where s6-rc puts its own. Sourced; nothing here runs in a domain that
# s6-rc would not run in.
scan=/run/cam/service
scripts=/usr/lib/cam/image/run
holder=s6rc-fdholder

# service_make NAME [DESCRIPTOR THAT SAYS READY]
service_make() {
	mkdir -p "$scan/$1"
	for script in run run.user finish finish.user; do
		[ ! -e "$scripts/$script.$1" ] || ln -s "$scripts/$script.$1" "$scan/$1/$script"
	done
	echo 12000 >"$scan/$1/timeout-finish"
	[ -z "${2-}" ] || echo "$2" >"$scan/$1/notification-fd"
}

# service_is NAME WHAT: up, ready
service_is() { [ "$(s6-svstat -o "$2" "$scan/$1" 2>/dev/null)" = true ]; }

# until_so SECONDS COMMAND...
until_so() {
	left=$1; shift
	until "$@"; do
		[ "$left" -gt 0 ] || return 1
		left=$((left - 1))
		sleep 1
	done
}

# who may store and fetch pipes: root
holder_make() {
	service_make $holder 1
	rules=$scan/$holder/data/rules/uid/0
	mkdir -p $rules/env
	: >$rules/allow
	echo '^pipe:s6rc-' >$rules/env/S6_FDHOLDER_STORE_REGEX
	echo '^pipe:s6rc-' >$rules/env/S6_FDHOLDER_RETRIEVE_REGEX
}

# pipe_store READER: both ends of one
pipe_store() {
	s6-fdholder-store -d 1 $scan/$holder/s "pipe:s6rc-w-$1" | s6-fdholder-store -d 0 $scan/$holder/s "pipe:s6rc-r-$1"
}

# services_start CAMERA
services_start() {
	holder_make
	s6-svscan $scan &
	until_so 60 service_is $holder ready
	for service in cam-seal cam-spool cam-reap; do pipe_store "$service@$1"; done
	service_make "cam-log-hold@$1"
	for service in log reap ship spool seal capture; do service_make "cam-$service@$1" 3; done
	s6-svscanctl -a $scan
}

# services_stop SERVICE...: one after the other
services_stop() {
	for service; do
		s6-svc -d "$scan/$service"
		n=0
		while service_is "$service" up && [ $n -lt 60 ]; do sleep 1; n=$((n + 1)); done
	done
}
