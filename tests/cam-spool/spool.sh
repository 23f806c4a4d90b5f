# shellcheck shell=sh disable=SC2154
# spool.sh: what the shell tests of cam-spool and cam-reap share; sourced after tap.sh.

make_records=$O/tests/cam-spool/make-records

# Is every name of file $1 in folder $2, and equal to its copy in folder $3?
names_equal() {
	[ -s "$1" ] || return 1
	while read -r n; do
		cmp "$2/$n" "$3/$n" || return 1
	done <"$1"
}

# The same where a file may be the truncated beginning of its copy.
names_begin() {
	[ -s "$1" ] || return 1
	while read -r n; do
		[ -s "$2/$n" ] && cmp -n "$(stat -c %s "$2/$n")" "$2/$n" "$3/$n" || return 1
	done <"$1"
}

count() { find "$1" -maxdepth 1 -name "*$2" | wc -l | tr -d ' '; }

# A process that is gone, or is waiting to be collected by its parent.
gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"; }

lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# told NAME REGEX: the file "said", where the messages of the last run went, has a line that matches.
told() { ok "$1" grep -E -- "$2" said; }
