# make            programs into build/          make check       every test (installs what is missing)
# make demo       the whole chain, seen         make check-long  campaigns of many minutes
# make bench      figures, as ratios            make lint        analysers and manual pages
# make install    PREFIX=/usr/local DESTDIR=    make CROSS=aarch64-linux-gnu-   for the Pi
#
# Variables: O output folder; X264=0 builds cam-capture without x264; WERROR=1; SAN=address,undefined.

PREFIX = /usr/local
DESTDIR =
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
CROSS =
X264 = 1
WERROR =
SAN =
O = build$(if $(CROSS),/$(CROSS:%-=%))

ifeq ($(origin CC),default)
CC = $(CROSS)gcc
endif
PKG_CONFIG = $(if $(CROSS),PKG_CONFIG_LIBDIR=/usr/lib/$(CROSS:%-=%)/pkgconfig:/usr/share/pkgconfig) pkg-config
accepts = $(shell echo 'int x;' | $(CC) -Werror $(1) -c -x c -o /dev/null - 2>/dev/null && echo $(1))

CFLAGS = -O2 -g
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wformat=2 \
	-Wconversion -Wno-sign-conversion $(if $(WERROR),-Werror)
HARDEN := -fPIE -fstack-protector-strong $(call accepts,-fstack-clash-protection) $(call accepts,-ftrivial-auto-var-init=zero) \
	$(call accepts,-fcf-protection) $(call accepts,-mbranch-protection=standard)
HARDEN += $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
LINK = -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed $(if $(SAN),-fsanitize=$(SAN))

.DEFAULT_GOAL = all
.DELETE_ON_ERROR:

# --- what each program is made of: sources without .c, and pkg-config names ---

BASE = lib/msg lib/opt lib/number lib/fdio

TOOLS = cam-capture cam-seal cam-open cam-key cam-spool cam-reap cam-ship

cam-capture_SRC = cam-capture/cam-capture $(BASE) lib/clocks lib/sei
cam-seal_SRC = cam-seal/cam-seal cam-seal/annexb cam-seal/sealer cam-seal/epoch cam-seal/keyfile \
	$(BASE) lib/clocks lib/sei lib/record
cam-seal_PKG = libsodium
cam-open_SRC = cam-seal/cam-open cam-seal/reader cam-seal/chain cam-seal/keyfile cam-seal/passphrase \
	$(BASE) lib/clocks lib/record lib/name
cam-open_PKG = libsodium
cam-key_SRC = cam-seal/cam-key cam-seal/keyfile cam-seal/passphrase $(BASE)
cam-key_PKG = libsodium
cam-spool_SRC = cam-spool/cam-spool $(BASE) lib/record lib/name
cam-spool_PKG = libsodium
cam-reap_SRC = cam-spool/cam-reap $(BASE) lib/name
cam-ship_SRC = cam-ship/cam-ship cam-ship/ship cam-ship/upload cam-ship/webdav cam-ship/s3 cam-ship/s3error \
	cam-ship/transfer cam-ship/target cam-ship/waiting cam-ship/acked cam-ship/aside cam-ship/backoff \
	$(BASE) lib/name lib/clocks
cam-ship_PKG = libcurl libsodium

# Unit tests: tests/NAME.c and the sources it needs; tests in shell: tests/*/*.t
UNITS = lib/number-test lib/name-test lib/sei-test lib/record-test
UNITS += cam-ship/backoff-test cam-ship/s3error-test cam-ship/target-test cam-ship/waiting-test
cam-ship/backoff-test_SRC = cam-ship/backoff lib/msg lib/number
cam-ship/backoff-test_PKG = libsodium
cam-ship/s3error-test_SRC = cam-ship/s3error
cam-ship/target-test_SRC = cam-ship/target lib/name
cam-ship/target-test_PKG = libcurl libsodium
cam-ship/waiting-test_SRC = cam-ship/waiting cam-ship/acked cam-ship/aside lib/msg lib/name
lib/number-test_SRC = lib/number
lib/name-test_SRC = lib/name
lib/sei-test_SRC = lib/sei
lib/record-test_SRC = lib/record
lib/record-test_PKG = libsodium

# --- building ---

all: $(TOOLS:%=$(O)/%)

define program
$(O)/$(1): $$($(1)_SRC:%=$(O)/obj/%.o)
	@mkdir -p $$(@D)
	$$(CC) $$(LINK) $$(LDFLAGS) -o $$@ $$^ $$($(1)_LIBS) $$(if $$($(1)_PKG),$$$$($$(PKG_CONFIG) --libs $$($(1)_PKG)))
endef
$(foreach t,$(TOOLS),$(eval $(call program,$(t))))
$(foreach t,$(UNITS),$(eval tests/$(t)_SRC = tests/$(t) $($(t)_SRC))$(eval tests/$(t)_PKG = $($(t)_PKG))$(eval $(call program,tests/$(t))))

folder = $(firstword $(subst /, ,$(patsubst tests/%,%,$(1))))
$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(CFLAGS) $(WARN) $(HARDEN) $(CPPFLAGS) -Ilib -Itests -I$(call folder,$*) -MMD -MP -c -o $@ $<

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)

# --- tests ---

TESTS = $(sort $(wildcard tests/*/*.t))
units: $(UNITS:%=$(O)/tests/%)

check: all units
	O=$(abspath $(O)) PATH="$(abspath $(O)):$$PATH" prove -j2 -e '' $(UNITS:%=$(O)/tests/%) $(TESTS)

.PHONY: all units check
