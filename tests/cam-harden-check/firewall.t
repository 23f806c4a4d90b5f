#!/bin/sh
# defends: enter.listen
# What a real ruleset lets through, in a network namespace of its own: a good one, and the same one broken in each way.
. "$(dirname "$0")/../tap.sh"

facts=$O/tests/cam-harden-check/facts
unshare -n true 2>/dev/null || skip_all "needs root and network namespaces"

# judge FILE: the facts of a ruleset that the kernel has taken.
judge() {
	unshare -n sh -c 'nft -f "$1" && "$2" / firewall' judge "$1" "$facts" >facts.out 2>facts.err || cat facts.err
}
has() { ok "$1" grep -qxE "net $2" facts.out; }
hasnt() { ok "$1" sh -c '! grep -qE "^net $1" facts.out' has "$2"; }

cat >good <<'X'
table inet cam {
	set server { type ipv4_addr; elements = { 203.0.113.7, 203.0.113.8 } }
	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		iif lo accept
		iif != lo ip saddr 127.0.0.0/8 drop
		jump needed
	}
	chain needed {
		icmp type { destination-unreachable, time-exceeded } limit rate 4/second accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, packet-too-big } limit rate 4/second accept
		ip saddr 192.0.2.1 udp dport 68 accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
	chain output {
		type filter hook output priority filter; policy drop;
		ct state established,related accept
		oif lo accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		meta skuid 901 ip daddr @server tcp dport { 443, 8443 } accept
		meta skuid { 902, 903 } ip daddr . udp dport { 192.0.2.1 . 53, 192.0.2.2 . 123 } accept
		limit rate 1/second log prefix "cam-out "
	}
}
table netdev cam {
	chain ingress {
		type filter hook ingress device lo priority 0; policy accept;
		ether type != { ip, arp } drop
	}
}
X

# --- the good one ---

judge good
for l3 in ip ip6; do for hook in input forward output; do has "good: $l3 $hook drops" "nft:$l3:$hook = drop"; done; done
for key in accept-everything accept-rules egress-uid egress-dst forwarded icmp nat; do has "good: nothing in $key" "nft:$key none"; done
has "good: invalid packets are dropped" "nft:ct-invalid = drop"
has "good: forged loopback addresses are dropped" "nft:lo-spoofed = drop"
has "good: replies are let through" "nft:established = accept"
has "good: what is dropped on the way out is logged, not too often" "nft:log = limited"
has "good: frames that are no IP are dropped" "nft:ingress = drop"
has "good: no bridge" "nft:bridge = no-bridge"

# --- nothing at all, and everything ---

: >empty
judge empty
has "no ruleset: no chain for input" "nft:ip:input none"
has "no ruleset: everything is accepted" "nft:accept-everything \+ ip6 output: no base chain"

cat >all <<'X'
table inet filter {
	chain input { type filter hook input priority 0; policy accept; }
	chain forward { type filter hook forward priority 0; policy accept; }
	chain output { type filter hook output priority 0; policy accept; }
}
X
judge all
for hook in input forward output; do has "accept-all ruleset: $hook accepts" "nft:ip:$hook = accept"; done
has "accept-all ruleset: named" "nft:accept-everything \+ inet filter input: policy accept"

# --- one thing wrong at a time: change NAME SED KEY: the good one is no longer good there ---

change() {
	sed -e "$2" good >bad
	if cmp -s good bad; then is "$1: the ruleset is changed" no yes; fi
	judge bad
	has "$1" "$3"
}
after() { printf '/%s/a %s' "$1" "$2"; }

change "policy accept" '/hook input/s/policy drop/policy accept/' 'nft:ip:input = accept'
change "policy accept of output" '/hook output/s/policy drop/policy accept/' 'nft:ip6:output = accept'
change "no forward chain" '/chain forward/,/}/d' 'nft:ip:forward none'
change "IPv4 only: IPv6 is open" '1s/inet/ip/;/icmpv6/d' 'nft:ip6:input none'
change "accept without a condition" "$(after 'hook input' accept)" 'nft:accept-everything \+ inet cam input handle [0-9]+ \(ip, input\)'
change "accept with only a counter" "$(after 'hook input' 'counter accept')" 'nft:ip:input = accept'
change "accept below a limit" "$(after 'hook input' 'limit rate 5/second accept')" 'nft:ip:input = accept'
change "accept of an interface" "$(after 'hook input' 'iifname "eth*" accept')" 'nft:ip:input = accept'
change "an interface called lo and something" "$(after 'hook input' 'iifname "lo*" accept')" 'nft:ip:input = accept'
change "lo on the way out, judged on the way in" "$(after 'hook output' 'oifname != "lo" accept')" 'nft:ip:output = accept'
change "every address" "$(after 'hook input' 'ip saddr 0.0.0.0/0 accept')" 'nft:ip:input = accept'
change "two halves of all addresses" "$(after 'hook input' 'ip saddr { 0.0.0.0/1, 128.0.0.0/1 } accept')" 'nft:ip:input = accept'
change "a range of all addresses" "$(after 'hook input' 'ip saddr 0.0.0.1-255.255.255.254 accept')" 'nft:ip:input = accept'
change "every port" "$(after 'hook input' 'tcp dport 1-65535 accept')" 'nft:ip:input = accept'
change "everything but one address" "$(after 'hook input' 'ip saddr != 192.0.2.9 accept')" 'nft:ip:input = accept'
change "every TCP" "$(after 'hook input' 'meta l4proto tcp accept')" 'nft:ip:input = accept'
change "new connections" "$(after 'hook input' 'ct state new,established accept')" 'nft:ip:input = accept'
change "a mark" "$(after 'hook input' 'meta mark 7 accept')" 'nft:ip:input = accept'
change "accept in a jumped chain" "$(after 'chain needed' accept)" 'nft:accept-everything \+ inet cam needed handle [0-9]+ \(ip6, input\)'
change "accept in a chain after goto" "s/jump needed/goto needed/;$(after 'chain needed' accept)" 'nft:ip:input = accept'
change "a port without a peer" 's/ip saddr 192.0.2.1 udp/udp/' 'nft:accept-rules \+ inet cam needed handle [0-9]+ \(ip, input\)'
change "a peer without a port" 's/192.0.2.1 udp dport 68/192.0.2.1/' 'nft:accept-rules \+ .*'
change "egress of any user" 's/meta skuid 901//' 'nft:egress-uid \+ inet cam output handle [0-9]+ \(ip, output\)'
change "egress of every user" 's/skuid 901/skuid 0-4294967294/' 'nft:egress-uid \+ .*'
change "egress to anywhere" 's/ip daddr @server//' 'nft:egress-dst \+ inet cam output handle [0-9]+ \(ip6, output\)'
change "egress to any port" 's/tcp dport { 443, 8443 }//' 'nft:egress-dst \+ .*'
change "egress to half the internet" 's/elements = { [^}]*/flags interval; elements = { 0.0.0.0\/1/' 'nft:egress-dst \+ .*'
change "a set that packets fill" 's/elements = { [^}]*}/size 9; flags dynamic;/;/hook input/a add @server { ip saddr }' 'nft:egress-dst \+ .*'
change "ICMP of any type" "$(after 'hook input' 'meta l4proto icmp accept')" 'nft:icmp \+ .*'
change "ICMP as often as they like" '/icmp type/s/limit rate 4.second//' 'nft:icmp \+ .*'
change "a camera that forwards" "$(after 'hook forward' 'ip saddr 192.0.2.1 accept')" 'nft:forwarded \+ .*'
change "accept of a verdict map" "$(after 'hook input' 'iifname vmap { "eth0" : accept }')" 'nft:ip:input = accept'
change "invalid packets" 's/, invalid : drop//' 'nft:ct-invalid none'
change "forged loopback addresses" '/127.0.0.0/d' 'nft:lo-spoofed none'
change "replies are not let in" '/ct state vmap/d' 'nft:established none'
change "errors only are let in" 's/ct state vmap.*/ct state related icmp type destination-unreachable accept/' 'nft:established none'
change "replies are not let out" '/ct state established,related/d' 'nft:established none'
change "what comes in fills the log" "$(after 'hook input' 'log prefix "in "')" 'nft:log = unlimited'
change "nothing is logged" '/log prefix/d' 'nft:log none'
change "logged without a limit" 's/limit rate 1.second log/log/' 'nft:log = unlimited'
change "every frame enters" '/ether type/d' 'nft:ingress = accept'
change "frames of a kind of their own" 's/{ ip, arp } drop/{ ip, arp, 0x88b5 } drop/' 'nft:ingress = accept'
change "frames of one sender" 's/ether type != { ip, arp }/ether saddr != 02:00:00:00:00:01/' 'nft:ingress = accept'
change "frames are dropped below a limit" '/ether type/s/drop/limit rate 9\/second drop/' 'nft:ingress = accept'
change "frames of one kind are dropped" '/ether type/s/!= { ip, arp }/0x88b5/' 'nft:ingress = accept'
change "addresses translated" '$a table ip n { chain p { type nat hook prerouting priority -100; }\n}' 'nft:nat \+ prerouting'
change "a table that sleeps" '/^table inet/a flags dormant' 'nft:ip:input (unseen: .*|none)'
change "return before the drop" '/hook input/{s/policy drop/policy accept/};/jump needed/a ip saddr != 192.0.2.1 return\ndrop' 'nft:ip:input = accept'

# --- order, and what still is good ---

sed -e '/hook input/s/policy drop/policy accept/' -e '/jump needed/a drop' good >bad
judge bad
has "a last drop is as good as the policy" 'nft:ip:input = drop'
sed -e '/jump needed/a drop\naccept' good >bad
judge bad
has "accept behind a last drop is never reached" 'nft:ip:input = drop'
sed -e '/jump needed/a accept\ndrop' good >bad
judge bad
has "accept before a last drop is" 'nft:ip:input = accept'
{ cat good; echo 'table inet early { chain input { type filter hook input priority -300; policy accept; accept; }'; echo '}'; } >two
judge two
has "a second chain that accepts everything cannot open the first" 'nft:ip:input = drop'
hasnt "and is not held against it" 'nft:accept-everything \+'
sed -e '/hook input/s/policy drop/policy accept/' -e '/jump needed/a jump last\n}\nchain last {\nmeta nfproto ipv4 drop\nmeta nfproto ipv6 drop' good >bad
judge bad
has "drop of each protocol in a jumped chain: IPv4" 'nft:ip:input = drop'
has "drop of each protocol in a jumped chain: IPv6" 'nft:ip6:input = drop'
{ sed '/ip saddr 192.0.2.1/s/192.0.2.1/@nobody/;/set server/a set nobody { type ipv4_addr; }' good; } >bad
judge bad
hasnt "a set without elements lets nobody in" 'nft:accept-[a-z]* \+'

# other NAME FAMILY-AND-HOOK POLICY RULES KEY: a chain of another family
other() {
	printf 'table %s o {\nchain c {\ntype filter hook %s priority 0; policy %s;\n%s\n}\nchain d { drop; }\n}\n' "${2%% *}" "${2#* }" "$3" "$4" >bad
	judge bad
	has "$1" "$5"
}
in='netdev ingress device lo' arp='arp input' one='arp saddr ip 192.0.2.1 arp saddr ether 02:00:00:00:00:01'
other "frames: what is not accepted is dropped" "$in" drop 'ether type { ip, arp } accept; meta protocol ip accept' 'nft:ingress = drop'
other "frames: accepted behind a last drop" "$in" accept 'ether type != { ip, arp } drop; accept' 'nft:ingress = drop'
other "frames: all are accepted" "$in" drop accept 'nft:ingress = accept'
other "frames: all but IP are accepted" "$in" drop 'ether type != ip accept' 'nft:ingress = accept'
other "frames: all to this device are accepted" "$in" drop 'meta pkttype host accept' 'nft:ingress = accept'
other "neighbours: one that is named by both" "$arp" drop "$one accept" 'nft:arp = drop'
other "neighbours: a set of them" "$arp" drop 'arp saddr ip . arp saddr ether { 192.0.2.1 . 02:00:00:00:00:01, 192.0.2.2 . 02:00:00:00:00:02 } accept' 'nft:arp = drop'
printf 'table arp o {\nset s { type ipv4_addr . ether_addr; }\nchain c {\ntype filter hook input priority 0; policy drop;\narp saddr ip . arp saddr ether @s accept\n}\n}\n' >bad
judge bad
has "neighbours: a set that has a name" 'nft:arp = accept'
other "neighbours: nobody" "$arp" accept 'counter drop' 'nft:arp = drop'
other "neighbours: everybody but one" "$arp" accept 'arp saddr ip 192.0.2.9 drop' 'nft:arp = accept'
other "neighbours: everybody" "$arp" accept "$one accept" 'nft:arp = accept'
other "neighbours: everybody, by a rule" "$arp" drop "$one accept; accept" 'nft:arp = accept'
other "neighbours: everybody with a reply" "$arp" drop 'arp operation reply accept' 'nft:arp = accept'
other "neighbours: one address from anywhere" "$arp" drop 'arp saddr ip 192.0.2.1 accept' 'nft:arp = accept'
other "neighbours: any address of one" "$arp" drop 'arp saddr ether 02:00:00:00:00:01 accept' 'nft:arp = accept'
other "neighbours: all but one" "$arp" drop 'arp saddr ip != 192.0.2.9 arp saddr ether 02:00:00:00:00:01 accept' 'nft:arp = accept'
other "neighbours: a jump" "$arp" drop 'jump d' 'nft:arp = accept'
other "neighbours: a chain for what goes out" 'arp output' drop '' 'nft:arp none'
# bridge NAME RULES VALUE
bridge() {
	printf 'table bridge o {\nchain c {\ntype filter hook forward priority 0; policy drop;\n%s\n}\n}\n' "$2" >bad
	unshare -n sh -c 'nft -f bad && nft -j list ruleset' | "$facts" -b -j /dev/stdin >facts.out
	has "$1" "nft:bridge = $3"
}
bridge "bridge: something that is named" 'ether saddr 02:00:00:00:00:01 accept' drop
bridge "bridge: everything" accept accept

# --- who is named as a peer ---

# names WHAT SED LINE...: with this change to the good one, these are the flows
names() {
	sed -e "$2" good >bad
	judge bad
	sed -n 's/^net egress-allowed //p' facts.out | sort >got
	name=$1; shift 2
	printf '%s\n' "$@" | sort >want
	diff got want >tap.out; : >tap.err
	cmp -s got want; tap_result $? "peers: $name"
}
names "of a set, with each port, and of TCP only" '' '+ 203.0.113.7 port 443 uid 901' '+ 203.0.113.7 port 8443 uid 901' '+ 203.0.113.8 port 443 uid 901' '+ 203.0.113.8 port 8443 uid 901'
names "a network, a range of ports and of users" 's/901 ip daddr @server tcp dport { 443, 8443 }/900-902 ip daddr 203.0.112.0\/23 tcp dport 440-449/' '+ 203.0.112.0-203.0.113.255 port 440-449 uid 900-902'
names "a range of addresses, any port, any user" 's/meta skuid 901 ip daddr @server tcp dport { 443, 8443 }/ip daddr 203.0.113.7-203.0.113.9/' '+ 203.0.113.7-203.0.113.9 port any uid any'
names "of IPv6" 's/ip daddr @server tcp dport { 443, 8443 }/ip6 daddr 2001:db8::\/64 tcp dport 443/' '+ 2001:db8::-2001:db8::ffff:ffff:ffff:ffff port 443 uid 901'
names "of two conditions, what both let through" 's/ip daddr @server tcp dport { 443, 8443 }/ip daddr 203.0.113.7 tcp dport 440-449 tcp dport 445-460/' '+ 203.0.113.7 port 445-449 uid 901'
names "of a concatenation" 's/udp dport { 192.0.2.1 . 53, 192.0.2.2 . 123 }/tcp dport { 192.0.2.1 . 53, 192.0.2.2 . 123 }/;s/skuid 901.*accept/skuid 901 drop/' '+ 192.0.2.1 port 53 uid 902' '+ 192.0.2.1 port 53 uid 903' '+ 192.0.2.2 port 123 uid 902' '+ 192.0.2.2 port 123 uid 903'
names "in a jumped chain, what both let through" 's/chain forward {/chain up { ip daddr 203.0.113.0\/30 tcp dport 443 accept\n}\nchain forward {/;s/ip daddr @server tcp dport { 443, 8443 } accept/ip daddr { 203.0.113.2-203.0.113.9, 192.0.2.1 } jump up/' '+ 203.0.113.2-203.0.113.3 port 443 uid 901'
names "of a verdict map" 's/ip daddr @server tcp dport { 443, 8443 } accept/tcp dport 443 ip daddr vmap { 203.0.113.7 : accept, 203.0.113.8 : drop }/' '+ 203.0.113.7 port 443 uid 901'
names "every address is nobody's name" 's/ip daddr @server tcp/tcp/' none
names "nor half of them" 's/ip daddr @server/ip daddr 0.0.0.0\/1/' none
names "nobody" '/skuid 901/d' none

{ echo 'table inet cam {'; echo '	set server { type ipv4_addr; elements = {'; seq -f '203.0.113.%g,' 1 250; echo '} }'; sed '1,/set server/d' good | sed 's/{ 443, 8443 }/{ 1, 2, 3, 4 }/'; } >bad
judge bad
has "more peers than are read" 'egress-allowed unseen: .*'

# a connection to 192.0.2.1:4443, seen from both of its ends
cat >connect.py <<'X'
import socket, time
s = socket.socket()
s.bind(("192.0.2.1", 4443))
s.listen(1)
c = socket.create_connection(("192.0.2.1", 4443), source_address=("192.0.2.1", 4444))
a = s.accept()
print("ready", flush=True)
time.sleep(600)
X
cat >connect.sh <<'X'
ip link set lo up && ip addr add 192.0.2.1/32 dev lo
nft -f "$2"
rm -f ready # it is there from the time before
python3 connect.py >ready & pid=$!
i=0
while ! grep -qs ready ready && [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done
"$1" / sockets firewall >facts.out
unshare -n "$1" / sockets >elsewhere.out
# one of the two processes of this network ends when its connections are about to be read
sleep 600 & other=$!
mkdir -p pair/proc && ln -s /proc/self /proc/net /proc/$pid /proc/$other pair/proc
look() {
	# a leak cannot be looked for under strace
	ASAN_OPTIONS=detect_leaks=0 unshare -n strace -f -qq -o /dev/null -P proc/$pid/net/tcp -P proc/$other/net/tcp -P proc/$pid/ns/net -P proc/$other/ns/net -e trace=openat,readlinkat \
		-e inject=openat:error=ENOENT:when=1 -e inject=readlinkat:error=ENOENT:when=2 "$1" pair sockets
}
look "$1" >ended.out
rm pair/proc/$other
look "$1" >alone.out
rm -r pair
kill $pid $other
X
cat >peers <<'X'
table inet t {
	chain o { type filter hook output priority 0; policy drop;
		ct state established accept
		oif lo accept
		ip daddr 192.0.2.1 tcp dport 4443 meta skuid 0 accept
	}
}
X
unshare -n sh connect.sh "$facts" peers
has "a connection is seen" 'tcp-established \+ 192.0.2.1:4443 uid 0 python3.*'
has "its address, for those who name it" 'tcp-peers \+ 192.0.2.1:4443'
hasnt "the filter names it" 'established:unallowed \+ 192.0.2.1:4443 '
has "its other end, it does not" 'established:unallowed \+ 192.0.2.1:4444 uid 0 python3.*'
ok "from another network it is seen, too" grep -q 'tcp-established + 192.0.2.1:4443 uid 0 python3' elsewhere.out
cp ended.out facts.out
has "also through another of its processes than the one that ended" 'tcp-established \+ 192.0.2.1:4443 uid 0 .*'
cp alone.out facts.out
has "where there is no other they were not seen" 'tcp-established unseen: the process of a network ended .*'
sed -i 's/skuid 0/skuid 1/' peers
unshare -n sh connect.sh "$facts" peers
has "named for another user it is not allowed" 'established:unallowed \+ 192.0.2.1:4443 uid 0 python3.*'

# --- what could not be seen ---

unshare -n setpriv --reuid 65534 --clear-groups "$facts" / firewall >facts.out 2>&1
has "without root" 'nft:ip:input unseen: nft failed: .*'
hasnt "nothing is said about rules" 'nft:[^ ]* (=|\+|none)'
mkdir -p nosys/proc/net && : >nosys/proc/net/dev
unshare -n "$facts" nosys firewall >facts.out 2>&1
has "without /sys/class/net nobody knows of bridges" 'nft:bridge unseen: /sys/class/net cannot be listed'
mkdir -p nosys/sys/class/net
unshare -n "$facts" nosys firewall >facts.out 2>&1
has "where it is empty there are none" 'nft:bridge = no-bridge'
for text in '' '{' '[]' '{"nftables":[]}' '{"nftables":{}}' '{"nftables":[{"metainfo":{}},{"chain":'; do
	echo "$text" | "$facts" -j /dev/stdin >facts.out
	has "half an answer of nft: $text" 'nft:ip:input unseen: .*'
done
echo '{"nftables":[{"metainfo":{}},{"table":{"family":"inet","name":"t"}},{"chain":{"family":"inet","table":"t","name":"i","type":"filter","hook":"input","policy":"drop"}},{"rule":{"family":"inet","table":"t","chain":"i","handle":1,"expr":[{"xt":null}]}}]}' >xt
"$facts" -j xt >facts.out
has "a rule made by iptables" 'nft:ip:input unseen: a statement that is not understood'
sed 's/{"xt":null}/{"drop":null}/' xt | "$facts" -4 -j /dev/stdin >facts.out
has "a kernel without IPv6" 'nft:ip6:input = no-ipv6'

tap_done
