#!/usr/bin/python3
# defends: enter.listen enter.egress
"""The generated ruleset in two network namespaces: allowed flows get through, by user, address and port, and nothing else
does, in or out. Real sockets, as different users."""
import concurrent.futures
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world as w_

CAM, PEER = (f"cam-{what}-{secrets.token_hex(4)}" for what in ("audit", "peer"))  # a process id may be another's whose namespaces were left
SERVER, DNS, NTP, OTHER = "192.0.2.1", "192.0.2.53", "192.0.2.123", "192.0.2.9"
SHIP, TIME, NOBODY = 61001, 61002, 61003
ANSWERS, SILENT = 30, 2  # seconds: an answer may take so long; after so many there is none
tap = w_.Tap()


def sh(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def inside(namespace, *command):
    return sh("ip", "netns", "exec", namespace, *command)


# Echoes on TCP and UDP, at the addresses and ports that are given; a line when it is ready.
ECHO = """
import selectors, socket, sys
s = selectors.DefaultSelector()
for a in sys.argv[1:]:
    kind, ip, port = a.split(",")
    k = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    k.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    k.bind((ip, int(port)))
    if kind == "tcp":
        k.listen(16)
    s.register(k, selectors.EVENT_READ, kind)
print("ready", flush=True)
while True:
    for key, _ in s.select():
        if key.data == "udp":
            data, who = key.fileobj.recvfrom(100)
            key.fileobj.sendto(data, who)
        else:
            c, _ = key.fileobj.accept()
            c.settimeout(5)
            try:
                c.sendall(c.recv(100))
            except OSError:
                pass
            c.close()
"""

# yes when the echo came back
ASK = """
import socket, sys
kind, ip, port = sys.argv[1:4]
k = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
k.settimeout(float(sys.argv[4]))
try:
    k.connect((ip, int(port)))
    k.send(b"hello")
    print("yes" if k.recv(100) == b"hello" else "no")
except OSError as e:
    print("no", e)
"""


# an echo request of ICMP, by hand
PING = """
import socket, struct, sys
k = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
k.settimeout(float(sys.argv[2]))
packet = struct.pack("!BBHHH", 8, 0, 0, 4711, 1)
total = sum(struct.unpack("!4H", packet))
packet = packet[:2] + struct.pack("!H", ~((total & 0xffff) + (total >> 16)) & 0xffff) + packet[4:]
k.sendto(packet, (sys.argv[1], 0))
try:
    while True:
        data = k.recv(200)
        if data[20] == 0 and data[24:26] == packet[4:6]:
            print("yes")
            break
except OSError as e:
    print("no", e)
"""


def pings(seconds):
    return inside(PEER, "/usr/bin/python3", "-c", PING, "192.0.2.100", str(seconds)).stdout.startswith("yes")


def echo(namespace, *ends):
    p = subprocess.Popen(["ip", "netns", "exec", namespace, "/usr/bin/python3", "-c", ECHO, *ends], stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "ready\n"
    return p


def asks(namespace, user, kind, ip, port, seconds):
    return inside(namespace, "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "/usr/bin/python3", "-c", ASK, kind, ip, str(port), str(seconds)).stdout.startswith("yes")


def through(user, kind, ip, port):
    return asks(CAM, user, kind, ip, port, ANSWERS)


# a frame of an Ethernet type that is neither IP nor ARP; or a reply of ARP that nobody asked for and that lies
FRAME = """
import socket, sys
k = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
k.bind(("eth0", 0))
me, to = k.getsockname()[4], bytes.fromhex(sys.argv[1].replace(":", ""))
if sys.argv[2] == "strange":
    k.send(to + me + b"\\x88\\xb5" + b"hello" * 10)
else:
    liar = bytes.fromhex("020000000066")
    k.send(to + me + b"\\x08\\x06\\0\\1\\x08\\0\\6\\4\\0\\2" + liar + socket.inet_aton(sys.argv[2]) + to + socket.inet_aton("192.0.2.100"))
"""

CATCH = """
import socket, sys
k = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x88b5))
print("ready", flush=True)
sys.stdin.read()  # until the frame was sent
k.settimeout(float(sys.argv[1]))
try:
    print("yes" if k.recv(100).startswith(b"hello") else "no")
except OSError:
    print("no")
"""


def mac(namespace):
    return inside(namespace, "cat", "/sys/class/net/eth0/address").stdout.strip()


def strange_enters(seconds):
    p = subprocess.Popen(["ip", "netns", "exec", CAM, "/usr/bin/python3", "-c", CATCH, str(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "ready\n"
    inside(PEER, "/usr/bin/python3", "-c", FRAME, mac(CAM), "strange")
    return p.communicate()[0] == "yes\n"


def believes_liar(seconds):
    """Does a reply that nobody asked for change where the server is? None: the server was not known before."""
    if not through(SHIP, "tcp", SERVER, 443):
        return None
    inside(PEER, "/usr/bin/python3", "-c", FRAME, mac(CAM), SERVER)
    end = time.monotonic() + seconds
    while not (believed := "02:00:00:00:00:66" in inside(CAM, "ip", "neigh", "show", SERVER).stdout) and time.monotonic() < end:
        time.sleep(0.1)
    inside(CAM, "ip", "neigh", "flush", "all")
    return believed


def weaker(line):
    """A generated line, left out, and changed so that it lets more through."""
    yield ""
    yield line.replace("policy drop", "policy accept")
    yield re.sub(r"counter drop", "accept", line)
    yield re.sub(r"([io]if) lo ", r"\1 eth0 ", line)
    yield re.sub(r"meta skuid \S+ ", "", line)
    yield re.sub(r"ip daddr \{[^}]*\} ", "", line).replace("ct state established", "ct state new")
    yield re.sub(r"limit rate \S+ ", "", line).replace("ct state related ", "")
    yield re.sub(r"ether type \{[^}]*\} ", "", line)
    yield re.sub(r"arp saddr ether \S+ ", "", line)


def findings(text):
    """The verdicts of the rules about a ruleset that the kernel has taken; None: it does not take it."""
    r = subprocess.run(["ip", "netns", "exec", CAM, "nft", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    if r.returncode:
        return None
    out = inside(CAM, f"{os.environ['O']}/tests/cam-harden-check/facts", "-p", w_.POLICY, "-f", f"{folder}/running", "/", "firewall").stdout
    return {rule: verdict for verdict, rule in (line.split(" ") for line in out.splitlines()) if rule.startswith("net.nft-")}


def lines_mutated(text):
    """Each line that no change of makes the rule fail which it names."""
    missed, lines = [], text.splitlines()
    for i, line in enumerate(lines):
        code, mark, rule = line.rpartition(" # ")
        if not mark:
            continue
        changes = [findings("\n".join(lines[:i] + [c] + lines[i + 1:]) + "\n") for c in dict.fromkeys(weaker(code)) if c != code]
        if not any(c and c[rule] == "FAIL" for c in changes):
            missed.append(line.strip())
    return missed


def setup():
    for n in (CAM, PEER):
        if sh("ip", "netns", "add", n).returncode:
            return False
        inside(n, "ip", "link", "set", "lo", "up")
    if sh("ip", "link", "add", "eth0", "netns", CAM, "type", "veth", "peer", "name", "eth0", "netns", PEER).returncode:
        return False
    inside(CAM, "ip", "addr", "add", "192.0.2.100/24", "dev", "eth0")
    for ip in (SERVER, DNS, NTP, OTHER):
        inside(PEER, "ip", "addr", "add", f"{ip}/24", "dev", "eth0")
    for n in (CAM, PEER):
        inside(n, "ip", "link", "set", "eth0", "up")
    inside(CAM, "ip", "route", "add", "default", "via", SERVER)
    inside(CAM, "sysctl", "-qw", "net.ipv4.neigh.eth0.locktime=0")
    return True


if os.getuid() != 0:
    print("1..0 # SKIP network namespaces need root")
    raise SystemExit
def rules_hash():
    """As an audit of the device sees it."""
    with open(f"{folder}/hash.policy", "w", encoding="utf-8") as out:
        out.write("n.hash | net | nft:hash | review | - | low | own | why | -\n")
    found = json.loads(inside(CAM, "cam-harden-check", "-p", f"{folder}/hash.policy", "-o", "json").stdout)["findings"]
    seen = [x["seen"] for x in found if x["id"] == "n.hash"][0]
    return seen if re.fullmatch("[0-9a-f]{64}", seen) else ""


children = []
folder = tempfile.mkdtemp()
try:
    if not setup():
        print("1..0 # SKIP no network namespaces or veth here")
        raise SystemExit
    operands = [f"server={SERVER}", f"dns={DNS}", f"ntp={NTP}", f"ship={SHIP}", f"time={TIME}", "ipv6=drop", "interface=eth0",
                "neighbours=" + ",".join(f"{ip}/{mac(PEER)}" for ip in (SERVER, DNS, NTP, OTHER))]
    code, text = w_.generate("nft", *operands)
    rules = f"{folder}/cam.nft"
    with open(rules, "w", encoding="utf-8") as f:
        f.write(text)
    tap.ok(code == 0, "a ruleset is generated")
    unmarked = [line for line in text.splitlines() if ("accept" in line or "drop" in line or "policy" in line) and not line.startswith("#") and " # " not in line]
    tap.ok(not unmarked, "each line has the id of its rule", *unmarked)
    for more in ([], ["interface=none"], ["neighbours=none"], ["port=443,8443"], ["server=any"]):
        code, other = w_.generate("nft", *[o for o in operands if o.split("=")[0] not in [m.split("=")[0] for m in more]], *more)
        with open(f"{folder}/other.nft", "w", encoding="utf-8") as f:
            f.write(other)
        r = inside(CAM, "nft", "-c", "-f", f"{folder}/other.nft")
        tap.ok(code == 0 and r.returncode == 0, f"nft accepts it with {more}", r.stderr)
    for bad in ("server=cloud.example", "server=192.0.2.1 accept", "ship=a;accept", "port=0", "dns=::1", "ipv6=yes", "interface=eth0 drop", "neighbours=192.0.2.1", "neighbours=192.0.2.1/52:54:00:12:34", "neighbours=192.0.2.1/52:54:00:12:34:56;drop"):
        keep = [o for o in operands if not o.startswith(bad.split("=")[0] + "=")]
        code, other = w_.generate("nft", *keep, bad)
        tap.ok(code == 1 and "table" not in other, f"refused: {bad}", other)

    ends = [f"{k},{ip},{p}" for ip in (SERVER, DNS, NTP, OTHER) for k, p in (("tcp", 443), ("tcp", 80), ("tcp", 53), ("udp", 53), ("udp", 123), ("udp", 443))]
    children.append(echo(PEER, *ends))
    children.append(echo(CAM, "tcp,192.0.2.100,22", "tcp,192.0.2.100,443", "udp,192.0.2.100,123", "tcp,127.0.0.1,8080"))
    for name in ("server", "interface", "neighbours"):
        code, other = w_.generate("nft", *[o for o in operands if not o.startswith(name + "=")])
        tap.ok(code == 1 and "table" not in other, f"only the owner knows {name}", other)
    tap.ok(strange_enters(ANSWERS) and believes_liar(ANSWERS), "without it strange frames enter, and a liar is believed")
    tap.ok(through(NOBODY, "tcp", OTHER, 80) and asks(PEER, 0, "tcp", "192.0.2.100", 22, ANSWERS) and pings(ANSWERS), "without it everything gets through")
    r = inside(CAM, "nft", "-f", rules)
    tap.ok(r.returncode == 0, "it is loaded", r.stderr)
    r = inside(CAM, "nft", "-f", rules)
    tap.ok(r.returncode == 0, "and again, in place of itself", r.stderr)
    loaded = rules_hash()
    inside(CAM, "nft", "insert", "rule", "ip", "cam", "input", "counter")
    quiet = rules_hash()

    tap.ok(through(SHIP, "tcp", SERVER, 443), "cam-ship's user reaches the server")
    tap.ok(through(SHIP, "udp", DNS, 53) and through(SHIP, "tcp", DNS, 53), "and its resolver")
    tap.ok(through(TIME, "udp", NTP, 123), "the clock's user reaches the time server")
    tap.ok(through(NOBODY, "tcp", "127.0.0.1", 8080), "loopback works")
    refused = []  # asked all at once: each waits most of the time
    for who, user in (("root", 0), ("another user", NOBODY), ("the clock's user", TIME)):
        refused.append((f"{who} does not reach the server", asks, CAM, user, "tcp", SERVER, 443))
        refused.append((f"{who} does not reach the resolver", asks, CAM, user, "udp", DNS, 53))
    refused.append(("cam-ship's user does not reach the time server", asks, CAM, SHIP, "udp", NTP, 123))
    for kind, ip, port in (("tcp", SERVER, 80), ("udp", SERVER, 443), ("tcp", OTHER, 443), ("udp", OTHER, 53), ("tcp", NTP, 443), ("udp", SERVER, 53)):
        refused.append((f"cam-ship's user does not reach {kind} {ip} {port}", asks, CAM, SHIP, kind, ip, port))
    for kind, port in (("tcp", 22), ("tcp", 443), ("udp", 123)):
        refused.append((f"nobody gets in at {kind} {port}", asks, PEER, 0, kind, "192.0.2.100", port))
    refused.append(("it does not answer ping", pings))
    refused.append(("frames that are neither IP nor ARP do not enter", strange_enters))
    with concurrent.futures.ThreadPoolExecutor(len(refused)) as pool:
        for name, answer in [(name, pool.submit(*how, SILENT)) for name, *how in refused]:
            tap.ok(not answer.result(), name)
    tap.ok(believes_liar(SILENT) is False, "a liar is not believed")
    r = inside(CAM, "nft", "list", "ruleset")
    tap.ok("table ip6 cam" in r.stdout and r.stdout.count("policy drop") == 8, "IPv6 is closed too", r.stdout)
    counted = re.search(r"counter packets [1-9]", inside(CAM, "nft", "list", "chain", "ip", "cam", "input").stdout)
    tap.ok(counted and quiet and quiet == rules_hash(), "the rules have a hash, which what was counted does not change", quiet)
    tap.ok(loaded and loaded != quiet, "but a rule more does")
    inside(CAM, "nft", "-f", rules)
    tap.ok(loaded == rules_hash(), "loaded again they have the same")
    with open(f"{folder}/running", "w", encoding="utf-8") as f:
        f.write("device running = y\n")
    good = findings(text)
    named = {line.rpartition(" # ")[2] for line in text.splitlines() if " # " in line}
    bad = [f"{i} {good.get(i)}" for i in sorted(named) if good.get(i) != "PASS"]
    tap.ok(len(named) > 12 and not bad and "FAIL" not in good.values(), "the audit finds nothing wrong with it", *bad)
    missed = lines_mutated(text)
    tap.ok(not missed, "each line left out or changed: the rule that it names fails", *missed)
finally:
    for child in children:
        child.kill()
        child.wait()
    for n in (CAM, PEER):
        sh("ip", "netns", "del", n)
    for name in os.listdir(folder):
        os.unlink(f"{folder}/{name}")
    os.rmdir(folder)
tap.done()
