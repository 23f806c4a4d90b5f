#!/bin/bash
# defends: enter.unseen
# Whom a device asks for time and names, which radio networks it joins, what loads its packet filter and who holds its
# watchdog, as different systems are set up; and what cannot be read is never said to be well.
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/cam-harden-check/device.sh
. "$top/tests/cam-harden-check/device.sh"

facts=$O/tests/cam-harden-check/facts
[ "$(id -u)" = 0 ] || skip_all "the trees need root's files"

# bare: a device on which one thing runs
bare() {
	rm -rf d
	mkdir -p d/proc/self/ns d/proc/1/ns d/proc/net
	ln -s 'pid:[4026531836]' d/proc/self/ns/pid
	tables d/proc/net
	put d/proc/1/comm "${1-init}\n"
	put d/proc/cmdline 'quiet\n'
}
# says WHAT LINE COLLECTOR: the collector says this
says() {
	"$facts" d "$3" >facts.out 2>facts.err || cat facts.err
	ok "$1" grep -qxE "$2" facts.out
}

# --- time ---

bare
says "nobody sets the clock" 'net ntp none' timesource
says "nobody sets the clock: no source" 'integrity clock-source none' timesource
helper d 20 1 chronyd -n
says "chronyd without its file" 'net ntp unseen: .*' timesource
put d/etc/chrony.conf 'server a nts\n'
says "chronyd" 'net ntp = nts' timesource
says "is the source" 'integrity clock-source \+ chronyd' timesource
put d/etc/chrony/chrony.conf 'confdir /etc/chrony/conf.d\nsourcedir /run/chrony-dhcp\nserver a nts\n'
says "chronyd of Debian" 'net ntp = nts' timesource
put d/run/chrony-dhcp/eth0.sources 'server 192.0.2.1 iburst\n'
says "a server that DHCP named" 'net ntp = plain' timesource
put d/etc/chrony/conf.d/a.conf 'authselectmode require\n'
says "which is passed over" 'net ntp = nts' timesource
put d/etc/chrony/conf.d/b.conf 'include /etc/gone.conf\n'
says "a file that is not there" 'net ntp unseen: .*' timesource
put d/etc/gone.conf 'server b\0server c nts\n'
rm -r d/run/chrony-dhcp
says "a file with a NUL in it" 'net ntp unseen: .*' timesource
rm d/etc/chrony/conf.d/b.conf
put d/proc/20/cmdline 'chronyd\0-f\0/etc/other.conf\0'
says "another file that is not there" 'net ntp unseen: .*' timesource
put d/etc/other.conf 'pool a key 7\n'
says "another file" 'net ntp = key' timesource
put d/proc/20/cmdline 'chronyd\0-f/etc/other.conf\0server x\0'
says "directives as arguments" 'net ntp = plain' timesource
rm d/proc/20/cmdline
says "arguments that cannot be read" 'net ntp unseen: .*' timesource

bare
helper d 20 1 ntpd -g
says "ntpd without a file" 'net ntp unseen: .*' timesource
put d/etc/ntpsec/ntp.conf 'server a nts\nincludefile /etc/more\n'
put d/etc/more 'server b nts\n'
says "NTPsec" 'net ntp = nts' timesource
put d/etc/ntpsec/ntp.d/x.conf 'pool c\n'
says "NTPsec with one more" 'net ntp = plain' timesource
rm -r d/etc/ntpsec/ntp.d
put d/etc/openntpd/ntpd.conf 'servers pool.ntp.org\n'
says "which ntpd it is cannot be told" 'net ntp unseen: .*' timesource
rm -r d/etc/ntpsec
says "OpenNTPD" 'net ntp = plain' timesource
rm -r d/etc/openntpd
put d/proc/20/cmdline 'ntpd\0-p\0pool.ntp.org\0'
says "busybox" 'net ntp = plain' timesource
put d/proc/20/cmdline 'ntpd\0-c\0/etc/more\0'
says "a file as an argument" 'net ntp = nts' timesource
helper d 21 1 systemd-timesyncd
put d/proc/21/comm 'systemd-timesyn\n'
says "two that set it: the worse one" 'net ntp = plain' timesource
says "and both are named" 'integrity clock-source \+ systemd-timesyn' timesource
rm d/proc/self/ns/pid
ln -s 'pid:[1]' d/proc/self/ns/pid
says "in a PID namespace: not seen" 'net ntp unseen: .*PID namespace.*' timesource
says "nor who it is" 'integrity clock-source unseen: .*' timesource

# --- names ---

bare
says "nobody is asked" 'net dns none' resolver
put d/proc/net/udp '  sl\n   0: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 99 2 0 0\n'
says "somebody answers, and it is not known who" 'net dns unseen: .*' resolver
put d/proc/net/udp '  sl\n   0: rubbish\n'
says "nor whether anybody does" 'net dns unseen: .*' resolver
tables d/proc/net
rm d/proc/net/udp
says "nor without the table" 'net dns unseen: .*' resolver
tables d/proc/net
put d/etc/resolv.conf 'nameserver 127.0.0.1\n'
put d/etc/nsswitch.conf 'hosts: files dns\n'
helper d 20 1 unbound -d
says "unbound without its file" 'net dns unseen: .*' resolver
put d/etc/unbound/unbound.conf 'include-toplevel: "/etc/unbound/unbound.conf.d/*.conf"\n'
put d/etc/unbound/unbound.conf.d/a.conf 'server:\n  tls-system-cert: yes\n'
says "unbound asks the roots" 'net dns = plain' resolver
put d/etc/unbound/unbound.conf.d/b.conf 'forward-zone:\n  name: "."\n  forward-tls-upstream: yes\n  forward-addr: 192.0.2.1@853#dns.example\n'
says "unbound, encrypted" 'net dns = encrypted' resolver
put d/etc/unbound/unbound.conf.d/a.conf '# nothing\n'
says "unbound, encrypted with whoever answers" 'net dns = opportunistic' resolver
put d/etc/unbound/unbound.conf.d/a0.conf 'forward-tls-upstream: yes\n'
says "a line of no zone" 'net dns unseen: .*' resolver
rm d/etc/unbound/unbound.conf.d/a0.conf
put d/etc/nsswitch.conf 'hosts: files mdns4_minimal [NOTFOUND=return] dns\n'
says "neighbours are asked" 'net dns = plain' resolver
put d/etc/nsswitch.conf 'hosts: files dns\n'
put d/etc/resolv.conf 'nameserver 127.0.0.1\nnameserver 192.0.2.1\n'
says "and a server elsewhere, in the clear" 'net dns = plain' resolver
put d/etc/resolv.conf 'nameserver here\n'
says "a server that is no address" 'net dns unseen: .*' resolver
put d/etc/resolv.conf 'nameserver 127.0.0.1\n'
helper d 21 1 dnsmasq
says "and another resolver, whose ways are not understood" 'net dns unseen: .*' resolver

bare
put d/etc/resolv.conf 'nameserver 127.0.0.53\n'
helper d 20 1 systemd-resolved
put d/proc/20/comm 'systemd-resolve\n'
says "systemd-resolved" 'net dns = plain' resolver
put d/etc/systemd/resolved.conf '[Resolve]\n#DNSOverTLS=yes\n'
put d/etc/systemd/resolved.conf.d/tls.conf '[Resolve]\nDNSOverTLS=yes\n'
says "systemd-resolved, encrypted" 'net dns = encrypted' resolver
put d/run/systemd/netif/links/2 '# This is private data\nDNS_OVER_TLS=opportunistic\n'
says "but for one link" 'net dns = opportunistic' resolver
mkdir d/run/systemd/netif/links/3
says "a link of which nothing can be read" 'net dns unseen: .*' resolver

bare
put d/etc/resolv.conf 'nameserver ::1\n'
helper d 20 1 stubby
put d/etc/stubby/stubby.yml 'dns_transport_list:\n  - GETDNS_TRANSPORT_TLS\ntls_authentication: GETDNS_AUTHENTICATION_REQUIRED\n'
says "stubby" 'net dns = encrypted' resolver
put d/etc/stubby/stubby.yml 'dns_transport_list:\n  - GETDNS_TRANSPORT_TLS\n#tls_authentication: GETDNS_AUTHENTICATION_REQUIRED\n'
says "stubby, with whoever answers" 'net dns = opportunistic' resolver
put d/etc/stubby/stubby.yml 'dns_transport_list:\n  - GETDNS_TRANSPORT_TLS\n  - GETDNS_TRANSPORT_UDP\n'
says "stubby, in the clear when need be" 'net dns = plain' resolver
says "without an uploader nobody knows of a key" 'net server-pinned unseen: .*' resolver
helper d 30 1 cam-ship -p 'sha256//A=' https://a.example/
says "an uploader that knows the server's key" 'net server-pinned = yes' resolver
helper d 31 1 cam-ship https://b.example/
says "and one that does not" 'net server-pinned = no' resolver

# --- radio ---

bare
says "without /sys nothing is known of a radio" 'net wifi unseen: .*' wifi
put d/sys/class/net/eth0/flags '0x1003\n'
says "no radio" 'net wifi none' wifi
mkdir -p d/sys/class/net/wlan0/wireless
says "a radio that nobody uses, or somebody unknown" 'net wifi unseen: .*' wifi
strong='network={\n ssid="a"\n key_mgmt=SAE\n}\n'
put d/etc/wpa.conf "$strong"
helper d 20 1 wpa_supplicant -B -i wlan0 -c/etc/wpa.conf
says "WPA3" 'net wifi none' wifi
put d/etc/more.conf 'network={\n ssid="cafe"\n key_mgmt=NONE\n}\n'
helper d 21 1 wpa_supplicant -i wlan1 -c /etc/wpa.conf -I /etc/more.conf
says "and an open network in one more file" 'net wifi \+ "cafe": joined without a key that proves whose network it is' wifi
put d/proc/21/cmdline 'wpa_supplicant\0-i\0wlan1\0-c\0/etc/wpa.conf\0-N\0-i\0wlan2\0-c\0/etc/more.conf\0'
says "or of another radio" 'net wifi \+ "cafe": joined without a key that proves whose network it is' wifi
rm d/etc/more.conf
says "which is not there" 'net wifi unseen: .*' wifi
rm -r d/proc/21
helper d 21 1 wpa_supplicant -u -s -O /run/wpa_supplicant
says "one whose networks somebody else tells" 'net wifi unseen: .*' wifi
rm -r d/proc/21
helper d 21 1 iwd
says "iwd" 'net wifi unseen: .*' wifi
rm -r d/proc/21
helper d 21 1 hostapd
says "a network of its own" 'net wifi \+ hostapd runs: a network is offered' wifi

# --- the order of the packet filter ---

unit='[Unit]\nDescription=nftables\nWants=network-pre.target\nBefore=network-pre.target shutdown.target\n[Service]\nExecStart=/usr/sbin/nft -f /etc/nftables.conf\n'
order() { says "$1" "net nft:loaded-before-net $2" order; }
bare systemd
order "systemd: nobody loads rules" 'unseen: .*'
put d/etc/nftables.conf 'table inet x { }\n'
put d/lib/systemd/system/nftables.service "$unit"
order "systemd: a unit that is not enabled" 'unseen: .*'
mkdir -p d/etc/systemd/system/sysinit.target.wants
ln -s ../../../../lib/systemd/system/nftables.service d/etc/systemd/system/sysinit.target.wants/nftables.service
order "systemd: before the network" '= yes'
put d/proc/cmdline 'root=/dev/sda1 ip=192.0.2.7::192.0.2.1\n'
order "systemd: but the kernel was first" '= no: the kernel sets the network up itself .*'
put d/proc/cmdline 'root=/dev/sda1 ip=off zip=1\n'
order "systemd: unless it is told not to" '= yes'
put d/lib/systemd/system/nftables.service "$(printf %s "$unit" | sed 's/Before=network-pre.target/Before=/')"
order "systemd: not ordered" '= no: nftables.service is not ordered before network-pre.target'
put d/etc/systemd/system/nftables.service "$unit"
order "systemd: the administrator's unit comes first" '= yes'
mkdir d/etc/systemd/system/nftables.service.d
order "systemd: a folder that changes it" 'unseen: .*'
rmdir d/etc/systemd/system/nftables.service.d
rm d/etc/nftables.conf
order "systemd: no rules in the file" 'unseen: .*'
put d/etc/nftables.conf 'table inet x { }\n'
rm d/etc/systemd/system/nftables.service
mknod d/etc/systemd/system/nftables.service c 1 3
order "systemd: masked" 'unseen: .*'

bare init
mkdir -p d/run/openrc d/etc/runlevels/boot
order "OpenRC: nobody loads rules" 'unseen: .*'
put d/etc/runlevels/boot/nftables ''
order "OpenRC: a service that is not there" 'unseen: .*'
put d/etc/init.d/nftables 'depend() {\n\tneed localmount\n\tbefore net\n}\n'
order "OpenRC: before the network" '= yes'
put d/etc/init.d/nftables 'depend() {\n\tneed localmount\n}\n'
order "OpenRC: not ordered" '= no: /etc/init.d/nftables does not say that it comes before net'

bare init
order "an init that is not understood" 'unseen: .*'
mkdir -p d/etc/network/if-pre-up.d
order "ifupdown: nobody loads rules" 'unseen: .*'
put d/etc/network/if-pre-up.d/nft '#!/bin/sh\nexec /usr/sbin/nft -f /etc/nft.conf\n'
order "ifupdown: rules that are not there" 'unseen: .*'
put d/etc/nft.conf 'table inet x { }\n'
order "ifupdown: before the network" '= yes'
put d/etc/network/if-pre-up.d/nft '#!/bin/sh\nnft --check -f /etc/nft.conf\nnft -c -f /etc/nft.conf\n# nft -f /etc/nft.conf\ntrue # nft -f /etc/nft.conf\nmynft -f /etc/nft.conf\n'
order "ifupdown: rules that are only checked, or talked of" 'unseen: .*'
put d/etc/network/if-pre-up.d/nft '#!/bin/sh\nif true; then nft -f /etc/nft.conf; fi\n'
order "ifupdown: in the middle of a line" '= yes'

bare s6-svscan
order "s6: no services of ours" 'unseen: .*'
device e
mkdir e/run/s6-rc
"$facts" e order >facts.out
ok "s6: other services beside ours" grep -q 'unseen' facts.out
rmdir e/run/s6-rc
put e/var/lib/cam-services/db-1/source/dhcp/run '#!/usr/bin/execlineb -P\nudhcpc -f\n'
"$facts" e order >facts.out
ok "s6: another one that talks" grep -qx 'net nft:loaded-before-net = no: dhcp does not wait for the rules' facts.out
rm e/proc/cmdline
"$facts" e order >facts.out
ok "s6: without /proc/cmdline" grep -q 'unseen' facts.out

# --- the watchdog ---

feeds() { says "$1" "watchdog watchdog.supervisor $2" feeder; }
bare
feeds "nobody holds it" none
helper d 20 1 systemd
ln -s /dev/watchdog d/proc/20/fd/9
feeds "the first process holds it" '\+ systemd'
helper d 30 1 s6-supervise dog
helper d 31 30 feeder
ln -s /dev/watchdog1 d/proc/31/fd/4
feeds "a service holds it" '\+ feeder \(service dog\)'
rm -r d/proc/20 d/proc/31/fd
touch d/proc/31/fd
feeds "descriptors that cannot be read" 'unseen: .*'
rm d/proc/31/fd
mkdir d/proc/31/fd
ln -s /dev/null d/proc/31/fd/3
feeds "another descriptor" none
touch d/proc/31/fd/4
feeds "one that does not say what it is" 'unseen: .*'

# --- memory ---

device f
put f/proc/121/oom_score_adj 'lots\n'
"$facts" f processes >facts.out
ok "an oom_score_adj that is none" grep -qx 'process oom_score_adj unseen: .*' facts.out
put f/proc/101/oom_score_adj '-499\n'
"$facts" f processes >facts.out
ok "one that is too high" grep -qx 'process oom_score_adj + cam-capture\[101\]: -499' facts.out
put f/proc/101/oom_score_adj '-1000\n'
put f/proc/121/oom_score_adj '-500\n'
put f/proc/141/oom_score_adj '0\n'
"$facts" f processes >facts.out
ok "never ended, and ended like anything else" grep -qx 'process oom_score_adj none' facts.out

# --- an image: nothing of this is asked ---

for what in timesource resolver wifi order feeder clock securebits; do
	"$facts" -o e $what >facts.out
	is "of an image $what says nothing" "$(wc -c <facts.out)" 0
done

tap_done
