#!/usr/bin/python3
# defends: lose.outage
"""The fault matrix of cam-ship on the way to the server: packets that are lost, refused or too large, a link that
goes down, names that do not resolve or stand for another address from now on."""
import os
import signal
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pipe")]
import camera
import matrix
import stores
import wires
from breaks import TIMES_OUT
from matrix import Case, on

FAST = ("-T", "5")  # a slow machine can do what it has to in that time


def at_server(text):
    return lambda t: t.wire.rule(t.wire.server, text)


def healed(t):
    t.wire.heal()


def connection_lost(t):
    """So that a new one has to be made."""
    t.store.kill()
    t.store.start()


def syns_dropped(t):
    at_server("tcp flags & (syn | ack) == syn counter drop")(t)
    connection_lost(t)


def few_syns(t):
    # three in the five seconds of an attempt
    camera.waits(60, lambda: t.wire.dropped() > 3)
    t.notes["syns"], t.notes["most"] = t.wire.dropped(), 24 + time.monotonic() - t.begun
    healed(t)


def syns_counted(t):
    # up to four at a time when it begins, then one after the other
    yield 3 < t.notes["syns"] <= t.notes["most"], f"it gave up and tried again, not too often: {t.notes['syns']} SYNs"


def some_are_lost(t):
    for ns in (t.wire.server, t.wire.camera):
        t.wire.rule(ns, "numgen random mod 100 < 10 counter drop")


def less_are_lost(t):
    camera.waits(120, lambda: t.wire.dropped() and len(t.camera.named) > t.stored_first)
    t.notes["lost"], t.notes["through"] = t.wire.dropped(), len(t.camera.named) - t.stored_first
    healed(t)


def got_through(t):
    yield t.notes["lost"] > 0 and t.notes["through"] > 0, f"{t.notes['through']} segments got through, {t.notes['lost']} packets did not"


def link_down(t):
    t.wire.link("down")


def link_up(t):
    t.wire.link("up")


def dns_silent(t):
    t.wire.dns.send_signal(signal.SIGSTOP)
    connection_lost(t)


def dns_speaks(t):
    t.wire.dns.send_signal(signal.SIGCONT)


def dns_gone(t):
    t.wire.dns.kill()
    t.wire.dns.wait()
    connection_lost(t)


def dns_back(t):
    t.wire.dns_start()


def name_gone(t):
    t.wire.dns_say(None)
    connection_lost(t)


def name_back(t):
    t.wire.dns_say(wires.SERVER)


def moved(old_is_silent):
    """To another address: first nobody is at the new one."""
    def breaks(t):
        t.wire.dns_say(wires.SERVER2)
        if old_is_silent:
            at_server(f"ip daddr {wires.SERVER} tcp dport 443 drop")(t)
        t.store.kill()
    return breaks


def arrived(t):
    t.store.host = wires.SERVER2
    t.store.start()


def asked_again(t):
    yield t.wire.dns_asked() >= 2, f"the name was asked for {t.wire.dns_asked()} times"
    yield t.wire.dns_asked() <= 60, "but not too often"


wire = [
    Case("SYNs are dropped", TIMES_OUT, syns_dropped, few_syns, options=FAST, fault_s=8, check=syns_counted),
    Case("connections are reset", "unavailable: .*(refused|reset|connect)", at_server("tcp dport 443 reject with tcp reset"), healed),
    Case("connections are rejected by ICMP", "unavailable: ", at_server("tcp dport 443 reject with icmpx type admin-prohibited"), healed, options=FAST, fault_s=7),
    Case("everything is dropped", TIMES_OUT, at_server("counter drop"), healed, options=FAST, fault_s=7),
    Case("answers are dropped", TIMES_OUT, lambda t: t.wire.rule(t.wire.camera, "counter drop"), healed, options=FAST, fault_s=7),
    Case("large packets are dropped", TIMES_OUT, at_server("meta length > 1000 counter drop"), healed, options=FAST, fault_s=7),
    Case("link down", "unavailable: ", link_down, link_up, options=FAST, fault_s=7),
    Case("one packet in ten is lost", "", some_are_lost, less_are_lost, check=got_through),
]
names = [
    Case("name server is silent", "unavailable: .*(resolv|timed out|[Tt]imeout)", dns_silent, dns_speaks, options=FAST, fault_s=7),
    Case("name server is gone", "unavailable: .*(resolv|timed out|[Tt]imeout)", dns_gone, dns_back, options=FAST, fault_s=5),
    Case("no such name", "unavailable: .*(resolv|not known)", name_gone, name_back, check=asked_again),
    Case("name moves to another address", "unavailable: ", moved(False), arrived, check=asked_again),
    Case("name moves, the old address is silent", "unavailable: ", moved(True), arrived, options=FAST, check=asked_again),
]


def make(by_name):
    def made(t):
        t.wire = wires.Wire(t.number, t.folder)
        os.mkdir(f"{t.folder}/server")
        t.store = wires.Far(f"{t.folder}/server", t.certificates, t.wire)
        t.store.start()
        if by_name:
            t.store.site = "server.test"
            t.wire.dns_start()
        t.prefix = ("ip", "netns", "exec", t.wire.camera)
    return made


def main():
    if not wires.possible():
        print("1..0 # SKIP needs root, network namespaces, nft, dnsmasq and nginx")
        return
    wires.sweep()
    m = matrix.Matrix()
    stores.make_certificates(m.folder, ("127.0.0.1", wires.SERVER, wires.SERVER2))
    m.run(on("wire", wire, make(False)) + on("wire", names, make(True)))
    m.done()


main()
