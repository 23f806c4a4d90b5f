# make            programs into build/          make check       every test (installs what is missing)
# make demo       the whole chain, seen         make check-long  campaigns of many minutes
# make bench      figures, as ratios            make lint        analysers and manual pages
# make install    PREFIX=/usr/local DESTDIR=    make CROSS=aarch64-linux-gnu-   for the Pi
# make check-guest  a camera and an encoder of the kernel's own, in QEMU
# make selinux    the policy of a closed image
#
# Variables: O output folder; X264=0 and LIBCAMERA=0 build cam-capture without them; WERROR=1; SAN=address,undefined;
# NOSANDBOX=1 builds tools that run without their sandbox and say so, to measure what it costs;
# STATIC=1 makes cam-harden-check one file that needs no library on the device.

PREFIX = /usr/local
DESTDIR =
BINDIR = $(PREFIX)/bin
SBINDIR = $(PREFIX)/sbin
LIBDIR = $(PREFIX)/lib/cam
MANDIR = $(PREFIX)/share/man
CROSS =
X264 = 1
LIBCAMERA = 1
WERROR =
SAN =
STATIC =
NOSANDBOX =
O = build$(if $(CROSS),/$(CROSS:%-=%))

ifeq ($(origin CC),default)
CC = $(CROSS)gcc
endif
ifeq ($(origin CXX),default)
CXX = $(if $(filter clang%,$(CC)),clang++,$(CROSS)g++)
endif
PKG_CONFIG = $(if $(CROSS),PKG_CONFIG_LIBDIR=/usr/lib/$(CROSS:%-=%)/pkgconfig:/usr/share/pkgconfig) pkg-config
accepts = $(shell echo 'int x;' | $(CC) -Werror $(1) -c -x c -o /dev/null - 2>/dev/null && echo $(1))

CFLAGS = -O2 -g
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wformat=2 \
	-Wconversion -Wno-sign-conversion $(if $(WERROR),-Werror)
HARDEN := -fPIE -fstack-protector-strong $(call accepts,-fstack-clash-protection) $(call accepts,-ftrivial-auto-var-init=zero) \
	$(call accepts,-fcf-protection) $(call accepts,-mbranch-protection=standard)
HARDEN += $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
HARDEN += $(if $(NOSANDBOX),-DWITHOUT_SANDBOX)
# for the one file that is C++
CXXWARN = $(filter-out -Wstrict-prototypes -Wmissing-prototypes,$(WARN))
LINK = -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed $(if $(SAN),-fsanitize=$(SAN))

.DEFAULT_GOAL = all
.DELETE_ON_ERROR:

# --- what each program is made of: sources without .c, and pkg-config names ---

BASE = lib/msg lib/opt lib/number lib/fdio
SANDBOX = lib/sandbox lib/profiles

TOOLS = cam-capture cam-seal cam-open cam-mux cam-key cam-spool cam-reap cam-status cam-ship cam-harden-check

CAMERA = cam-capture/camera cam-capture/camera-find cam-capture/camera-formats cam-capture/camera-controls cam-capture/guard \
	cam-capture/arrivals cam-capture/sensortime cam-capture/pixel cam-capture/convert cam-capture/rate cam-capture/libcamera
M2M = cam-capture/m2m cam-capture/m2m-device cam-capture/m2m-layout cam-capture/m2m-queue cam-capture/m2m-flights \
	cam-capture/m2m-controls cam-capture/m2m-sets cam-capture/m2m-io cam-capture/m2m-h264
cam-capture_SRC = cam-capture/cam-capture cam-capture/options cam-capture/control cam-capture/source-y4m cam-capture/source-pattern cam-capture/y4m cam-capture/pattern \
	cam-capture/pace cam-capture/stop cam-capture/au cam-capture/queue cam-capture/writer cam-capture/motion cam-capture/roll \
	$(if $(filter 0,$(X264)),cam-capture/x264-none,cam-capture/x264) \
	$(M2M) $(if $(filter 0,$(LIBCAMERA)),cam-capture/camera-none,$(CAMERA)) cam-capture/cell $(BASE) lib/clocks lib/sei $(SANDBOX)
cam-capture_PKG = $(if $(filter 0,$(X264)),,x264) $(if $(filter 0,$(LIBCAMERA)),,libcamera) libseccomp
cam-capture_LIBS = $(if $(filter 0,$(LIBCAMERA)),,-lyuv -lstdc++)
cam-seal_SRC = cam-seal/cam-seal cam-seal/annexb cam-seal/segmenter cam-seal/sealer cam-seal/epoch $(SANDBOX) \
	cam-seal/recipients cam-seal/keyfile \
	$(BASE) lib/clocks lib/sei lib/record
cam-seal_PKG = libsodium libseccomp
cam-open_SRC = cam-seal/cam-open cam-seal/inputs cam-seal/report cam-seal/evicted cam-seal/playback cam-seal/reader cam-seal/segment $(SANDBOX) \
	cam-seal/place cam-seal/chain cam-seal/known cam-seal/release cam-seal/annexb cam-seal/keyfile cam-seal/passphrase \
	$(BASE) lib/clocks lib/record lib/name lib/sei
cam-open_PKG = libsodium libseccomp
cam-mux_SRC = cam-seal/cam-mux cam-seal/annexb cam-seal/timeline $(BASE) lib/sei $(SANDBOX)
cam-mux_PKG = libavformat libavcodec libavutil libseccomp
cam-key_SRC = cam-seal/cam-key cam-seal/keyfile cam-seal/passphrase $(BASE) lib/record $(SANDBOX)
cam-key_PKG = libsodium libseccomp
cam-spool_SRC = cam-spool/cam-spool cam-spool/incoming cam-spool/intake cam-spool/part cam-spool/syncer cam-spool/ending \
	cam-spool/recover cam-spool/dir cam-spool/room cam-spool/removal cam-spool/pack cam-spool/window cam-spool/hints cam-spool/list \
	cam-spool/stop $(BASE) lib/record lib/name $(SANDBOX)
cam-spool_PKG = libsodium libseccomp
cam-reap_SRC = cam-spool/cam-reap cam-spool/keep cam-spool/stop $(BASE) lib/name $(SANDBOX)
cam-reap_PKG = libseccomp
cam-status_SRC = cam-spool/cam-status cam-spool/newest cam-spool/evictions cam-spool/stop $(BASE) lib/clocks lib/record \
	lib/name $(SANDBOX)
cam-status_PKG = libsodium libseccomp
cam-ship_SRC = cam-ship/cam-ship cam-ship/ship cam-ship/upload cam-ship/webdav cam-ship/s3 cam-ship/s3error \
	cam-ship/transfer cam-ship/digest cam-ship/cap cam-ship/target cam-ship/waiting cam-ship/window cam-ship/acked cam-ship/aside \
	cam-ship/backoff cam-ship/dialer cam-ship/dialcell cam-ship/unconnected cam-ship/cell cam-ship/progress \
	cam-ship/sigv4 cam-ship/objectlock cam-ship/credentials cam-ship/trust cam-ship/truetime $(BASE) lib/name lib/clocks $(SANDBOX)
cam-ship_PKG = libcurl libsodium libseccomp libssl libcrypto
HARDEN_EXPECT = cam-harden-check/expect cam-harden-check/expect-judge cam-harden-check/value cam-harden-check/review cam-harden-check/evidence
HARDEN_POLICY = $(HARDEN_EXPECT) cam-harden-check/policy
HARDEN_JUDGE = $(HARDEN_POLICY) cam-harden-check/judge cam-harden-check/generate cam-harden-check/generate-nft
HARDEN_RULESET = cam-harden-check/ruleset cam-harden-check/ruleset-hash cam-harden-check/sha256 cam-harden-check/nft-walk cam-harden-check/nft-other cam-harden-check/nft-match cam-harden-check/nft-values cam-harden-check/nft-json
HARDEN_LIVE = cam-harden-check/child cam-harden-check/list cam-harden-check/mountinfo cam-harden-check/mounts cam-harden-check/verity \
	cam-harden-check/lsm cam-harden-check/boot cam-harden-check/bootloader cam-harden-check/boot-file cam-harden-check/uboot \
	cam-harden-check/device-tree cam-harden-check/fuses cam-harden-check/keyring cam-harden-check/rollback cam-harden-check/tpm-tool \
	cam-harden-check/tpm-owner cam-harden-check/measured cam-harden-check/protocols cam-harden-check/sockets \
	cam-harden-check/socket-line cam-harden-check/socket-owners cam-harden-check/socket-peers cam-harden-check/interfaces \
	cam-harden-check/firewall $(HARDEN_RULESET) cam-harden-check/process cam-harden-check/process-audit \
	cam-harden-check/processes cam-harden-check/process-may cam-harden-check/process-place cam-harden-check/process-holds \
	cam-harden-check/programs cam-harden-check/files cam-harden-check/file-look cam-harden-check/labels cam-harden-check/secret-key \
	cam-harden-check/elf-file cam-harden-check/attempt \
	cam-harden-check/egress cam-harden-check/lines cam-harden-check/daemons cam-harden-check/timesource \
	cam-harden-check/resolver cam-harden-check/wifi cam-harden-check/order cam-harden-check/feeder \
	cam-harden-check/clock cam-harden-check/securebits
HARDEN_IMAGE = cam-harden-check/collect-image cam-harden-check/folder cam-harden-check/nftables-conf cam-harden-check/image-selinux \
	cam-harden-check/initramfs cam-harden-check/cpio cam-harden-check/image-verity cam-harden-check/hashtree \
	cam-harden-check/sbom cam-harden-check/sshsig
cam-harden-check_SRC = cam-harden-check/cam-harden-check cam-harden-check/where $(HARDEN_JUDGE) cam-harden-check/phases $(HARDEN_LIVE) cam-harden-check/builtin \
	cam-harden-check/kconfig cam-harden-check/cmdline cam-harden-check/sysctl cam-harden-check/modprobe \
	cam-harden-check/collect-kernel cam-harden-check/collect-sysctl $(HARDEN_IMAGE) \
	cam-harden-check/report-text cam-harden-check/report-json cam-harden-check/report-junit cam-harden-check/report-release cam-harden-check/quote $(BASE) $(SANDBOX)
cam-harden-check_PKG = jansson zlib libseccomp libsodium
cam-harden-check_LINK = $(if $(STATIC),-static-pie)

# Unit tests: tests/NAME.c and the sources it needs. Programs that tests in shell use are in TESTPROGS.
UNITS = lib/number-test lib/name-test lib/sei-test lib/record-test \
	cam-capture/pixel-test cam-capture/sensortime-test cam-capture/arrivals-test cam-capture/control-test cam-capture/camera-formats-test \
	cam-capture/motion-test cam-capture/roll-test \
	cam-capture/y4m-test cam-capture/queue-test cam-capture/au-test cam-capture/pace-test cam-capture/pattern-test \
	cam-capture/m2m-test \
	cam-seal/annexb-test cam-seal/epoch-test cam-seal/reader-test cam-seal/chain-test \
	cam-seal/timeline-test cam-spool/incoming-test cam-spool/recover-test \
	cam-ship/backoff-test cam-ship/s3error-test cam-ship/target-test cam-ship/waiting-test \
	cam-ship/trust-test cam-ship/truetime-test cam-ship/sigv4-test cam-ship/credentials-test cam-ship/cap-test \
	cam-ship/unconnected-test cam-harden-check/expect-test cam-harden-check/elf-test cam-harden-check/procfs-test \
	cam-harden-check/device-tree-test cam-harden-check/measured-test cam-harden-check/config-test
TESTPROGS = cam-harden-check/facts cam-capture/fake cam-capture/convert cam-capture/scenes cam-capture/motion-score cam-spool/make-records cam-spool/check-records sandbox/inject sandbox/interfere sandbox/matrix
lib/number-test_SRC = lib/number
cam-harden-check/facts_SRC = cam-harden-check/report-release cam-harden-check/where $(HARDEN_JUDGE) $(HARDEN_LIVE) lib/fdio lib/msg lib/number
cam-harden-check/facts_PKG = jansson zlib libsodium
cam-harden-check/device-tree-test_SRC = cam-harden-check/device-tree
cam-harden-check/measured-test_SRC = cam-harden-check/measured cam-harden-check/list cam-harden-check/evidence cam-harden-check/where lib/fdio
cam-harden-check/measured-test_PKG = libsodium
cam-harden-check/elf-test_SRC = cam-harden-check/elf-file
HARDEN_TEXTS = cam-harden-check/mountinfo cam-harden-check/process cam-harden-check/socket-line cam-harden-check/verity \
	cam-harden-check/lsm cam-harden-check/sha256 cam-harden-check/secret-key cam-harden-check/list cam-harden-check/evidence \
	cam-harden-check/where lib/fdio
cam-harden-check/procfs-test_SRC = $(HARDEN_TEXTS)
cam-harden-check/procfs-test_PKG = libsodium
HARDEN_CONFIG = cam-harden-check/timesource cam-harden-check/resolver cam-harden-check/wifi cam-harden-check/lines \
	cam-harden-check/daemons cam-harden-check/egress cam-harden-check/socket-line cam-harden-check/process \
	cam-harden-check/mountinfo cam-harden-check/list cam-harden-check/evidence cam-harden-check/where lib/fdio
cam-harden-check/config-test_SRC = $(HARDEN_CONFIG)
cam-harden-check/config-test_PKG = jansson
lib/name-test_SRC = lib/name
lib/sei-test_SRC = lib/sei
lib/record-test_SRC = lib/record
lib/record-test_PKG = libsodium
cam-capture/pixel-test_SRC = cam-capture/pixel
cam-capture/sensortime-test_SRC = cam-capture/sensortime lib/clocks
cam-capture/arrivals-test_SRC = cam-capture/arrivals
cam-capture/control-test_SRC = cam-capture/control cam-capture/rate
cam-capture/camera-formats-test_SRC = tests/cam-capture/fake cam-capture/camera-formats cam-capture/pixel lib/msg
cam-capture/fake_SRC = $(filter-out cam-capture/libcamera cam-capture/camera-none,$(cam-capture_SRC))
cam-capture/fake_PKG = $(filter-out libcamera,$(cam-capture_PKG))
cam-capture/fake_LIBS = -lyuv
cam-capture/convert_SRC = cam-capture/convert cam-capture/pixel
cam-capture/convert_LIBS = -lyuv
cam-capture/y4m-test_SRC = cam-capture/y4m
cam-capture/motion-test_SRC = cam-capture/motion
cam-capture/roll-test_SRC = cam-capture/roll cam-capture/au lib/sei
cam-capture/queue-test_SRC = cam-capture/queue cam-capture/au lib/sei
cam-capture/au-test_SRC = cam-capture/au lib/sei
cam-capture/pace-test_SRC = cam-capture/pace cam-capture/stop lib/clocks
cam-capture/m2m-test_SRC = tests/cam-capture/m2m-fake $(filter-out cam-capture/m2m-io,$(M2M)) lib/msg
cam-capture/pattern-test_SRC = cam-capture/pattern
cam-seal/annexb-test_SRC = cam-seal/annexb lib/sei
cam-seal/epoch-test_SRC = cam-seal/epoch lib/record lib/fdio
cam-seal/epoch-test_PKG = libsodium
READER = cam-seal/reader cam-seal/segment cam-seal/place cam-seal/chain cam-seal/known cam-seal/release lib/record
cam-seal/reader-test_SRC = $(READER)
cam-seal/reader-test_PKG = libsodium
cam-seal/chain-test_SRC = $(READER)
cam-seal/chain-test_PKG = libsodium
cam-seal/timeline-test_SRC = cam-seal/timeline
cam-spool/incoming-test_SRC = tests/cam-spool/stream cam-spool/incoming lib/record
cam-spool/incoming-test_PKG = libsodium
cam-spool/recover-test_SRC = tests/cam-spool/stream cam-spool/recover cam-spool/incoming cam-spool/part cam-spool/syncer \
	cam-spool/dir cam-spool/room cam-spool/removal cam-spool/pack cam-spool/window cam-spool/hints cam-spool/stop lib/msg lib/fdio lib/record lib/name
cam-spool/recover-test_PKG = libsodium
cam-spool/make-records_SRC = tests/cam-spool/stream lib/record lib/name
cam-spool/make-records_PKG = libsodium
cam-spool/check-records_SRC =
cam-capture/scenes_SRC =
cam-capture/motion-score_SRC = cam-capture/motion cam-capture/y4m
cam-capture/scenes_LIBS = -lm
sandbox/matrix_SRC = $(SANDBOX) lib/msg
sandbox/matrix_PKG = libseccomp
cam-ship/backoff-test_SRC = cam-ship/backoff cam-ship/truetime lib/clocks lib/name lib/msg lib/number
cam-ship/trust-test_SRC = cam-ship/trust cam-ship/truetime cam-ship/objectlock lib/clocks lib/name lib/msg lib/number
cam-ship/trust-test_PKG = libcurl libsodium libssl libcrypto
cam-ship/truetime-test_SRC = cam-ship/truetime lib/clocks lib/name
cam-ship/sigv4-test_SRC = cam-ship/sigv4
cam-ship/sigv4-test_PKG = libsodium
cam-ship/credentials-test_SRC = cam-ship/credentials lib/fdio lib/msg
cam-ship/credentials-test_PKG = libsodium
cam-ship/cap-test_SRC = cam-ship/cap lib/number
cam-ship/unconnected-test_SRC = cam-ship/unconnected cam-ship/dialer cam-ship/dialcell lib/clocks lib/msg $(SANDBOX)
cam-ship/unconnected-test_PKG = libseccomp
cam-ship/backoff-test_PKG = libsodium
cam-ship/s3error-test_SRC = cam-ship/s3error
cam-ship/target-test_SRC = cam-ship/target lib/name
cam-ship/target-test_PKG = libcurl libsodium
cam-harden-check/expect-test_SRC = $(HARDEN_EXPECT)
cam-ship/waiting-test_SRC = cam-ship/waiting cam-ship/window cam-ship/acked cam-ship/aside lib/msg lib/name

# --- building ---

all: $(TOOLS:%=$(O)/%)

define program
$(O)/$(1): $$($(1)_SRC:%=$(O)/obj/%.o)
	@mkdir -p $$(@D)
	$$(CC) $$(LINK) $$($(1)_LINK) $$(LDFLAGS) -o $$@ $$^ $$($(1)_LIBS) $$(if $$(strip $$($(1)_PKG)),$$$$($$(PKG_CONFIG) $$(if $$($(1)_LINK),--static) --libs $$($(1)_PKG)))
endef
$(foreach t,$(TOOLS),$(eval $(call program,$(t))))
# cam-capture for the guest, whose encoder makes no H.264
guest/cam-capture-fwht_SRC = $(patsubst cam-capture/m2m-h264,tests/guest/fwht,$(patsubst cam-capture/au,tests/guest/au-fwht,$(cam-capture_SRC)))
guest/cam-capture-fwht_PKG = $(cam-capture_PKG)
guest/cam-capture-fwht_LIBS = $(cam-capture_LIBS)
$(eval $(call program,guest/cam-capture-fwht))
guest-programs: $(O)/guest/cam-capture-fwht
$(foreach t,$(UNITS) $(TESTPROGS),$(eval tests/$(t)_SRC = tests/$(t) $($(t)_SRC))$(eval tests/$(t)_PKG = $($(t)_PKG))$(eval tests/$(t)_LIBS = $($(t)_LIBS))$(eval $(call program,tests/$(t))))

folder = $(patsubst guest,cam-capture,$(firstword $(subst /, ,$(patsubst tests/%,%,$(1)))))
$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(CFLAGS) $(WARN) $(HARDEN) $(CPPFLAGS) -Ilib -Itests -I$(call folder,$*) -MMD -MP -c -o $@ $<

# libcamera's headers are not held to our warnings. vptr checks would need another runtime.
LIBCAMERA_INCLUDES = $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags libcamera))
$(O)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(CFLAGS) $(CXXWARN) $(HARDEN) $(if $(SAN),-fno-sanitize=vptr) $(CPPFLAGS) -I$(call folder,$*) \
		$(LIBCAMERA_INCLUDES) -MMD -MP -c -o $@ $<

# It cannot be earlier than this: for certificates, on a device without a clock. The commit's date, so that the same
# source gives the same program.
BUILT_S := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null))
$(O)/obj/cam-ship/truetime.o: CPPFLAGS += $(if $(BUILT_S),-DTRUETIME_BUILT_S=$(BUILT_S))

# The profile pi3-camera, compiled in: its bytes as numbers, which any host can make for any target.
$(O)/obj/cam-harden-check/pi3-camera.inc: cam-harden-check/pi3-camera.policy
	@mkdir -p $(@D)
	od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g' >$@
$(O)/obj/cam-harden-check/builtin.o: $(O)/obj/cam-harden-check/pi3-camera.inc
$(O)/obj/cam-harden-check/builtin.o: CPPFLAGS += -I$(O)/obj/cam-harden-check
$(O)/obj/cam-harden-check/cam-harden-check.o: CPPFLAGS += -DPOLICY_FOLDER='"$(PREFIX)/share/cam/policy"' $(if $(BUILT_S),-DBUILT_S=$(BUILT_S))

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)

# --- tests ---

UNIT_PROGRAMS = $(UNITS:%=$(O)/tests/%)
TESTS = $(sort $(filter-out tests/guest/%,$(wildcard tests/*/*.t)))
PROVE = $(if $(SAN),CAM_TESTS_KNOW=1) O=$(abspath $(O)) PATH="$(abspath $(O)):$$PATH" prove -f -e ''

units: $(UNIT_PROGRAMS) $(TESTPROGS:%=$(O)/tests/%)

check: DEPS = $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK)
check: deps
	$(MAKE) all units
	$(PROVE) -j3 --timer $(UNIT_PROGRAMS) $(TESTS)

# the same tests, longer: CAM_LONG is the factor by which campaigns grow
check-long: DEPS = $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK) $(DEPS_LONG) $(DEPS_GUEST) $(DEPS_LINT)
check-long: deps
	$(MAKE) all units
	CAM_LONG=20 CAM_POWER_CUTS=200 CAM_KILLS=1000 $(PROVE) --timer $(UNIT_PROGRAMS) $(TESTS)
	$(MAKE) fuzz FUZZ_SECONDS=600

demo: DEPS = $(DEPS_BUILD) $(DEPS_DEMO)
demo: deps
	$(MAKE) all
	PATH="$(abspath $(O)):$$PATH" sh tests/demo.sh $(O)/demo

bench: DEPS = $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_BENCH)
bench: deps
	$(MAKE) all units
	$(MAKE) O=$(O)/bare NOSANDBOX=1 all
	PATH="$(abspath $(O)):$$PATH" BARE="$(abspath $(O)/bare)" sh tests/bench.sh
	PATH="$(abspath $(O)):$$PATH" /usr/bin/python3 tests/bench-harden.py
	O=$(abspath $(O)) /usr/bin/python3 tests/motion.py

# Fuzz targets: tests/fuzz/NAME.c, the sources it needs, and its corpus tests/fuzz/corpus/NAME.
FUZZ = annexb record keyfile incoming s3error y4m evicted sets kconfig cmdline sysctl policy procfs ruleset elf boot image config
annexb_FUZZ = cam-seal/annexb lib/sei
record_FUZZ = cam-seal/reader cam-seal/segment cam-seal/place cam-seal/chain cam-seal/known cam-seal/release lib/record
keyfile_FUZZ = cam-seal/keyfile lib/fdio lib/number lib/record
y4m_FUZZ = cam-capture/y4m
sets_FUZZ = cam-capture/m2m-sets
evicted_FUZZ = cam-seal/evicted lib/name
incoming_FUZZ = cam-spool/incoming lib/record
s3error_FUZZ = cam-ship/s3error cam-ship/backoff cam-ship/truetime lib/clocks lib/name lib/number lib/msg
kconfig_FUZZ = cam-harden-check/kconfig cam-harden-check/evidence
cmdline_FUZZ = cam-harden-check/cmdline cam-harden-check/evidence
sysctl_FUZZ = cam-harden-check/sysctl
policy_FUZZ = $(HARDEN_JUDGE) lib/msg lib/number
procfs_FUZZ = $(HARDEN_TEXTS)
config_FUZZ = $(HARDEN_CONFIG)
ruleset_FUZZ = $(HARDEN_RULESET) cam-harden-check/egress cam-harden-check/list cam-harden-check/evidence
elf_FUZZ = cam-harden-check/elf-file
boot_FUZZ = cam-harden-check/uboot cam-harden-check/device-tree cam-harden-check/fuses cam-harden-check/keyring cam-harden-check/rollback cam-harden-check/tpm-owner cam-harden-check/tpm-tool \
	cam-harden-check/measured cam-harden-check/child cam-harden-check/list cam-harden-check/evidence cam-harden-check/where lib/fdio
image_FUZZ = $(sort $(filter-out cam-harden-check/collect-image cam-harden-check/initramfs cam-harden-check/image-verity,$(HARDEN_IMAGE)) \
	cam-harden-check/ruleset-hash $(HARDEN_JUDGE) $(HARDEN_TEXTS) lib/msg lib/number)
FUZZ_SECONDS = 15
FUZZ_FLAGS = -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Ilib -Icam-capture -Icam-seal -Icam-spool -Icam-ship -Icam-harden-check

$(foreach f,$(FUZZ),$(eval $(O)/fuzz/$(f): $($(f)_FUZZ:%=%.c)))
$(FUZZ:%=$(O)/fuzz/%): $(O)/fuzz/%: tests/fuzz/%.c
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) -o $@ $< $($*_FUZZ:%=%.c) -lsodium -ljansson -lz

fuzz: $(FUZZ:%=fuzz-%)
$(FUZZ:%=fuzz-%): fuzz-%: $(O)/fuzz/%
	@new=$$(mktemp -d) && cp tests/fuzz/corpus/$*/* $$new/ && \
	{ $< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -artifact_prefix=$(O)/fuzz/ $$new >$<.log 2>&1 || \
	{ tail -40 $<.log; exit 1; }; } && echo "fuzz $*, $(FUZZ_SECONDS) s: $$(tail -n 1 $<.log)" && rm -rf $$new

# --- analysers ---

CXX_FILES = $(wildcard cam-capture/*.cpp)
C_FILES = $(sort $(wildcard */*.c tests/*/*.c))
TIDY = -*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-implicit-widening-of-multiplication-result,cert-*,-cert-err33-c,-cert-dcl16-c,-cert-dcl37-c,-cert-dcl51-cpp,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-clang-analyzer-valist.Uninitialized,performance-*,portability-*
INCLUDES = -Ilib -Itests -Icam-capture -Icam-seal -Icam-spool -Icam-ship -Icam-harden-check -I$(O)/obj/cam-harden-check

lint: DEPS = $(DEPS_BUILD) $(DEPS_LINT)
lint: deps lint-c lint-sh lint-man

lint-c: $(O)/obj/cam-harden-check/pi3-camera.inc
	@printf '%s\n' $(C_FILES) | xargs -P2 -n4 sh -c 'clang-tidy --quiet --warnings-as-errors="*" --checks="$(TIDY)" "$$@" -- -std=c11 $(INCLUDES) 2>/dev/null' tidy
	clang-tidy --quiet --warnings-as-errors="*" --checks="$(TIDY),-cert-err58-cpp" $(CXX_FILES) -- -std=c++17 $(INCLUDES) $(LIBCAMERA_INCLUDES) 2>/dev/null
	cppcheck -q --std=c++17 --enable=warning,performance,portability --error-exitcode=1 $(INCLUDES) $(CXX_FILES)
	@cppcheck -q -j2 --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 $(INCLUDES) $(C_FILES)

lint-sh:
	printf '%s\n' .ci/run tests/*.sh tests/*/*.sh $$(grep -lE '^#!/bin/(ba)?sh' tests/*/*.t) $(SERVICES) s6-rc/run/finish s6-rc/users | xargs -P2 -n6 shellcheck -x -P SCRIPTDIR -e SC2317,SC2016,SC2012,SC2086
	/usr/bin/python3 -m compileall -q -f tests >/dev/null && find tests -name __pycache__ -prune -exec rm -r {} +

# Pages of other packages may not be installed; ours are all here.
lint-man:
	@for m in man/*.[1-8]; do mandoc -Tlint $$m; done 2>&1 | grep -vE 'referenced manual not found|outdated mandoc.db' | { ! grep . ; }
	@grep -hoE '^\.Xr cam[a-z-]* [1-8]' man/* | sort -u | while read -r _ page section; do \
		[ -e man/$$page.$$section ] || { echo "man/$$page.$$section: referenced, but not there"; exit 1; }; done

# The table in cam-security(7), from the profiles.
security-table: $(O)/tests/sandbox/matrix
	$(O)/tests/sandbox/matrix -t >$(O)/table
	sed -i -e '/^\.\\" table begins/,/^\.\\" table ends/{//!d}' -e '/^\.\\" table begins/r $(O)/table' man/cam-security.7

# --- the policy for SELinux of a closed image ---

# SELINUX_SITE: rules of one's own, which promises.cil binds too. Version 33 is what Linux reads since 5.8.
SELINUX_SITE =
SELINUX_POLICY = policy.33
SELINUX_CIL = $(patsubst %,s6-rc/selinux/%.cil,classes types camera promises)

selinux: $(O)/selinux/$(SELINUX_POLICY)
$(O)/selinux/$(SELINUX_POLICY): $(SELINUX_CIL) $(SELINUX_SITE)
	@mkdir -p $(@D)
	secilc -c $(SELINUX_POLICY:policy.%=%) -o $@ -f /dev/null $^

# into an image that is being made: on a running system it would take the place of the system's own
install-selinux: selinux
	@[ "$(DESTDIR)" ] || { echo "install-selinux: DESTDIR is to name the root of an image" >&2; exit 1; }
	mkdir -p $(DESTDIR)/etc/selinux/camera/policy $(DESTDIR)/etc/selinux/camera/contexts/files
	rm -f $(DESTDIR)/etc/selinux/camera/policy/policy.*
	install -m 0644 s6-rc/selinux/config $(DESTDIR)/etc/selinux
	install -m 0644 $(O)/selinux/$(SELINUX_POLICY) $(DESTDIR)/etc/selinux/camera/policy
	install -m 0644 s6-rc/selinux/file_contexts $(DESTDIR)/etc/selinux/camera/contexts/files

# --- the Pi: needs the cross compiler and the libraries of arm64 ---

deps-arm64:
	sh tests/deps.sh -a arm64 $(DEPS_ARM64)

check-arm64: deps-arm64
	$(MAKE) CROSS=aarch64-linux-gnu- WERROR=1 all units
	CAM_EMULATED=1 prove -j2 -e 'qemu-aarch64' $(UNITS:%=build/aarch64-linux-gnu/tests/%)
	for a in aarch64 x86_64; do qemu-aarch64 build/aarch64-linux-gnu/tests/sandbox/matrix $$a | diff tests/sandbox/golden.$$a - || exit 1; done

# --- a guest with a camera and an encoder, for each architecture: boots QEMU, keeps what it boots in build/guest ---

deps-guest:
	sh tests/deps.sh $(DEPS_GUEST)

check-guest: DEPS = $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK)
check-guest: deps deps-guest deps-arm64
	$(MAKE) all guest-programs units
	$(MAKE) STATIC=1 O=$(O)/static $(O)/static/cam-harden-check
	$(MAKE) CROSS=aarch64-linux-gnu- all guest-programs units
	$(MAKE) CROSS=aarch64-linux-gnu- STATIC=1 O=build/aarch64-linux-gnu/static build/aarch64-linux-gnu/static/cam-harden-check
	GUEST_ARCH=amd64 $(PROVE) --timer $(GUEST_TESTS)
	GUEST_ARCH=arm64 $(PROVE) --timer $(GUEST_TESTS)

GUEST_TESTS = $(filter-out tests/guest/hardened.t,$(wildcard tests/guest/*.t))

# A kernel as cam-harden-check -g says, and a camera on it. It takes as long as a kernel takes, once; kept in build/guest.
check-kernel: DEPS = $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK)
check-kernel: deps deps-guest deps-arm64
	sh tests/deps.sh $(DEPS_KERNEL)
	$(MAKE) all
	$(MAKE) CROSS=aarch64-linux-gnu- all
	$(PROVE) --timer tests/guest/hardened.t

# --- installing ---

MANSECTIONS = 1 5 7 8

install: all
	mkdir -p $(DESTDIR)$(BINDIR) $(MANSECTIONS:%=$(DESTDIR)$(MANDIR)/man%)
	install -m 0755 $(TOOLS:%=$(O)/%) $(DESTDIR)$(BINDIR)
	mkdir -p $(DESTDIR)$(PREFIX)/share/cam/policy
	install -m 0644 cam-harden-check/pi3-camera.policy $(DESTDIR)$(PREFIX)/share/cam/policy
	for n in $(MANSECTIONS); do install -m 0644 man/*.$$n $(DESTDIR)$(MANDIR)/man$$n; done
	mkdir -p $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBDIR)/run $(DESTDIR)/etc/cam
	install -m 0755 $(SERVICES) $(DESTDIR)$(LIBDIR)
	install -m 0644 s6-rc/run/* $(DESTDIR)$(LIBDIR)/run
	mkdir -p $(DESTDIR)$(PREFIX)/share/cam/selinux
	install -m 0644 $(SELINUX_CIL) s6-rc/selinux/file_contexts s6-rc/selinux/config $(DESTDIR)$(PREFIX)/share/cam/selinux
	ln -sf $(LIBDIR:$(PREFIX)/%=../%)/cam-services $(DESTDIR)$(SBINDIR)/cam-services
	sed 's,@SBINDIR@,$(SBINDIR),g; s,@BINDIR@,$(BINDIR),g' s6-rc/cam-svscan.service >$(DESTDIR)$(LIBDIR)/cam-svscan.service
	for f in sysctl nftables; do \
		[ -e $(DESTDIR)/etc/cam/$$f.conf ] || install -m 0644 s6-rc/$$f.conf $(DESTDIR)/etc/cam; done

# on the device, as root
install-users:
	sh s6-rc/users

# what cam-services runs; the administrator's files in /etc/cam and what was recorded stay
SERVICES = s6-rc/cam-services s6-rc/cells s6-rc/kernel s6-rc/prepare s6-rc/gate s6-rc/selinux/load-policy s6-rc/selinux/boot

uninstall:
	rm -rf $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PREFIX)/share/cam/selinux
	rm -f $(DESTDIR)$(SBINDIR)/cam-services
	rm -f $(TOOLS:%=$(DESTDIR)$(BINDIR)/%) $(DESTDIR)$(PREFIX)/share/cam/policy/pi3-camera.policy
	for m in man/*.[1-8]; do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done

clean:
	rm -rf build

# Debian packages: to build, for the demo, for the tests, for the long ones, for the analysers, for the Pi.
DEPS_BUILD = gcc g++ libc6-dev libcamera-dev libyuv-dev make pkg-config libsodium-dev libcurl4-openssl-dev libssl-dev libseccomp-dev libx264-dev libavformat-dev libjansson-dev zlib1g-dev
DEPS_DEVICE = s6 execline nftables util-linux procps ca-certificates
DEPS_DEMO = nginx-light ffmpeg curl openssl ca-certificates
DEPS_CHECK = perl nbdkit libnbd-bin fuse3 apache2 ceph-mon ceph-osd radosgw ceph-common python3 python3-nacl strace xfsprogs e2fsprogs util-linux procps diffutils s6 execline rclone iproute2 nftables faketime dnsmasq-base python3-jsonschema libxml2-utils libcap2-bin swtpm tpm2-tools device-tree-compiler u-boot-tools u-boot-qemu cryptsetup-bin secilc setools policycoreutils selinux-utils openssh-client cpio zstd xz-utils
DEPS_LONG = linux-config-6.1 swift-proxy swift-account swift-container swift-object memcached
DEPS_BENCH = age python3 time lynis rclone libnginx-mod-http-dav-ext ceph-mon ceph-osd radosgw ceph-common
DEPS_LINT = clang clang-tidy clang-format libclang-rt-14-dev cppcheck shellcheck mandoc
DEPS_GUEST = qemu-system-x86 qemu-system-arm mmdebstrap kmod cpio xz-utils e2fsprogs gcc-12 libelf-dev
DEPS_KERNEL = bc bison flex libelf-dev libssl-dev gcc-12-plugin-dev-aarch64-linux-gnu erofs-utils cryptsetup-bin e2fsprogs openssl secilc
DEPS_ARM64 = gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libcamera-dev:arm64 libyuv-dev:arm64 qemu-user libc6-dev:arm64 libsodium-dev:arm64 libcurl4-openssl-dev:arm64 libssl-dev:arm64 libseccomp-dev:arm64 libx264-dev:arm64 libavformat-dev:arm64 libjansson-dev:arm64 zlib1g-dev:arm64 u-boot-rpi:arm64
DEPS = $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK) $(DEPS_LINT)

deps:
	@sh tests/deps.sh $(DEPS)

# what a camera needs, to be built and to run
deps-device:
	@sh tests/deps.sh $(DEPS_BUILD) $(DEPS_DEVICE)

.PHONY: all units check check-long demo bench fuzz $(FUZZ:%=fuzz-%) lint lint-c lint-sh lint-man deps deps-device deps-arm64 check-arm64 deps-guest check-guest check-kernel guest-programs selinux install-selinux install install-users uninstall clean security-table
