# shellcheck shell=sh disable=SC2154
# guest.sh: for tests whose first part runs in the guest.

# guest NAME: runs tests/guest/NAME-inside.sh in the guest; its results are counted with ours, and what it wrote to
# /mnt/out is in $T/out.
guest() {
	mkdir -p "$T/out"
	sh "$top/tests/guest/run.sh" -o "$T/out" "/mnt/src/tests/guest/$1-inside.sh" >"$T/guest.tap" 2>&1
	guest_code=$?
	guest_plan=
	while IFS= read -r line; do
		case $line in
		"ok "*) : >"$T/tap.out"; : >"$T/tap.err"; tap_result 0 "${line#* - }" ;;
		"not ok "*) : >"$T/tap.out"; : >"$T/tap.err"; tap_result 1 "${line#* - }" ;;
		1..*) guest_plan=$line ;;
		"#"*) printf '%s\n' "$line" ;;
		*) printf '# guest: %s\n' "$line" ;;
		esac
	done <"$T/guest.tap"
	ok "the guest ran all of its tests and ended by itself: ${guest_plan:-no plan}, exit $guest_code" \
		test "$guest_plan" = "1..$tap_run" -a $guest_code -le 1
}
