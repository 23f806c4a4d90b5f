#!/usr/bin/python3
# defends: lose.false-ack
"""The fault matrix of cam-ship on Ceph's S3 gateway: by itself, a second gateway that is killed and stopped, and
behind a proxy that breaks things; and on s3rver, which shows half of an upload as the object. With CAM_LONG also on three
copies of which two die, and on OpenStack Swift."""
import dataclasses
import glob
import os
import shutil
import signal
import sys
import threading
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pipe")]
import camera
import matrix
import proxy
import stores
from breaks import HTML, TIMES_OUT, answer, calm_after, healed, healed_when_asked, lose_first, rule, s3_error
from matrix import Case, on

FAST = ("-T", "5")  # a slow machine can do what it has to in that time


def admin(*arguments):
    return lambda t: t.store.ceph.admin(*arguments, "--uid", t.store.uid)


def secret_changed(to):
    def change(t):
        s = t.store
        s.ceph.admin("key", "create", "--key-type", "s3", "--uid", s.uid, "--access-key", s.access, "--secret-key", s.secret if to is None else to)
    return change


def quota_full(t):
    admin("quota", "set", "--quota-scope=user", f"--max-objects={len(t.camera.named) + 1}")(t)
    admin("quota", "enable", "--quota-scope=user")(t)


def quota_raised(t):
    admin("quota", "set", "--quota-scope=user", "--max-objects=100000")(t)


def clock_off(seconds):
    """cam-ship alone has another clock, by libfaketime."""
    def breaks(t):
        t.notes["clock"] = f"{t.folder}/clock"
        clock_set(t, f"{seconds:+d}s")
        # nice(1): see trust.t
        t.prefix = ("sh", f"{stores.HERE}/faked.sh", "nice", "-n", "0")
        t.env.update(FAKETIME_TIMESTAMP_FILE=t.notes["clock"], FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1", NO_FAKE_STAT="1",
                     ASAN_OPTIONS="verify_asan_link_order=0")
    return breaks


def clock_set(t, offset):
    with open(t.notes["clock"] + ".new", "w") as f:
        f.write(offset + "\n")
    os.rename(t.notes["clock"] + ".new", t.notes["clock"])


def clock_right(t):
    clock_set(t, "+0s")
    for shared in glob.glob(f"/dev/shm/*faketime_s[eh]m_{t.camera.ship.pid}"):
        os.unlink(shared)


def taken(t):
    """While the way to the server is broken, three of the waiting segments come to lie under their keys: one with
    the same bytes, one with others, one with others of the same length."""
    answer(503)(t)
    camera.waits(120, lambda: len(t.camera.unnamed()) >= 6)
    same, *others = t.camera.unnamed()[:3]
    keep = lambda name: camera.key(name, t.camera.expected(name))
    t.store.put(keep(same), t.camera.expected(same))
    t.notes["taken"] = [(others[0], keep(others[0]), b"shorter"), (others[1], keep(others[1]), bytes(len(t.camera.expected(others[1]))))]
    for _, object_key, data in t.notes["taken"]:
        t.store.put(object_key, data)
    healed(t)


def taken_no_more(t):
    t.notes["kept"] = [t.store.get(object_key) == data for _, object_key, data in t.notes["taken"]]
    t.notes["named"] = [name for name, _, _ in t.notes["taken"] if name in t.camera.named]
    camera.waits(120, lambda: len(t.camera.named) > 6)
    t.notes["others"] = len(t.camera.named)
    for _, object_key, _ in t.notes["taken"]:
        t.store.curl("-X", "DELETE", f"{t.store.base()}/door/{object_key}")


def conflict_checks(t):
    yield all(t.notes["kept"]), "the other bytes are left alone", t.notes["kept"]
    yield not t.notes["named"], "their segments are not named before they are gone", t.notes["named"]
    yield t.notes["others"] > 6, "the others went on", t.notes["others"]


own = [
    Case("bucket is missing", "unavailable: .*404 NoSuchBucket", lambda t: None, lambda t: t.store.bucket_make(), flows_first=False),
    Case("wrong secret", "unavailable: .*403 SignatureDoesNotMatch", secret_changed("another"), secret_changed(None)),
    Case("user suspended", "unavailable: .*403 UserSuspended", admin("user", "suspend"), admin("user", "enable")),
    Case("quota exceeded", "unavailable: .*403 QuotaExceeded", quota_full, quota_raised),
    Case("clock an hour ahead", "", clock_off(3600), clock_right, flows_first=False),
    Case("clock an hour behind", "", clock_off(-3600), clock_right, flows_first=False),
    Case("clock in 1970", "", clock_off(60 - int(time.time())), clock_right, flows_first=False),
]
gateway = [
    Case("gateway down", "unavailable: .*(connect|refused)", lambda t: t.server.kill(), lambda t: t.server.start()),
    Case("gateway stands still", TIMES_OUT, lambda t: t.server.pause(), lambda t: t.server.go_on(), options=FAST, fault_s=7),
]


def killed_in_upload(t):
    """The gateway is stopped while a large PUT is under way, which is known by what has come to the proxy, then killed."""
    t.camera.add(1, os.urandom(12_000_000))
    t.proxy.break_(lambda r: ("hold",) if int(r.get("Content-Length") or 0) > 10_000_000 else None)
    t.proxy.held.wait(120)
    t.server.pause()
    t.proxy.let_go()
    camera.waits(60, lambda: stores.unread(t.server.port, 10_000))  # the gateway's buffers take a part of it
    t.server.kill()


in_upload = [Case("gateway killed in the middle of an upload", "unavailable: ", killed_in_upload, lambda t: t.server.start())]
proxied = [
    Case("503 SlowDown", "unavailable: .*503 SlowDown", s3_error(503, "SlowDown"), healed),
    Case("503 with Retry-After", "unavailable: .*503", s3_error(503, "ServiceUnavailable", header={"Retry-After": "3"}), healed_when_asked(2), options=("-j", "1"), check=calm_after(3)),
    Case("503 of a proxy", "unavailable: .*503", answer(503, *HTML), healed),
    Case("500", "unavailable: .*500 InternalError", s3_error(500, "InternalError"), healed),
    Case("403 without a code", "unavailable: .*403", answer(403), healed),
    Case("403 AccessDenied", "unavailable: .*403 AccessDenied", s3_error(403, "AccessDenied"), healed),
    Case("403 for ever to HEAD", "", answer(403, methods=("HEAD",)), healed),
    Case("409", "unavailable: .*409 OperationAborted", s3_error(409, "OperationAborted"), healed),
    Case("501 to conditions", "501|If-None-Match", lambda t: t.proxy.break_(lambda r: ("answer", 501, {}, b"<Error><Code>NotImplemented</Code></Error>") if r.get("If-None-Match") else None),
         healed),
    Case("412 that is not so", "unavailable: .*412", s3_error(412, "PreconditionFailed"), healed),
    Case("507", "unavailable: .*507", answer(507, methods=("PUT",)), healed),
    Case("captive portal", "unavailable: .*portal", answer(200, *HTML), healed),
    Case("200 to everything, empty", "unavailable: .*portal", answer(200), healed),
    Case("answers to PUT are lost", "", lose_first("PUT"), healed),
    Case("all answers are lost", "unavailable: ", rule(("lose",)), healed),
    Case("all answers are cut off", "unavailable: ", rule(("cut",)), healed),
    Case("bytes change on their way", "unavailable: .*(XAmzContentSHA256Mismatch|BadDigest)", rule(("mangle",), ("PUT",)), healed),
    Case("reset in the body", "unavailable: ", rule(("reset", 20000), ("PUT",)), healed),
    Case("torn on the way to the server", "unavailable: ", rule(("tear", 30000), ("PUT",)), healed),
    Case("stalls in the body", TIMES_OUT, rule(("stall", 20000), ("PUT",)), healed, options=FAST, fault_s=7),
    Case("keys are taken", "conflict: ", taken, taken_no_more, check=conflict_checks),
]


def osd_pauses(t):
    t.store.ceph.osd_signal(0, signal.SIGSTOP)


def osd_goes_on(t):
    t.store.ceph.osd_signal(0, signal.SIGCONT)


# PUTs hang, and those that timed out may still be done later
storage = [Case("storage stands still", TIMES_OUT, osd_pauses, osd_goes_on, options=FAST, fault_s=7)]


def two_osds_die(t):
    for n in (1, 2):
        t.store.ceph.osd_signal(n, signal.SIGKILL)


def two_osds_return(t):
    for n in (1, 2):
        t.store.ceph.osd_start(n)


# each object is held three times and has to reach two of them: PUTs hang until one is back
replicas = [Case("two of three copies die", TIMES_OUT, two_osds_die, two_osds_return, options=FAST, fault_s=10)]


def torn_and_killed(t):
    """Half of the object is there when the server dies."""
    rule(("tear", 40000), ("PUT",))(t)
    camera.waits(120, lambda: t.camera.says("unavailable"))
    t.store.kill()


torn = ("torn on the way to the server", "all answers are lost", "all answers are cut off", "answers to PUT are lost", "captive portal")
# s3rver may let a request hang after a restart: that costs the patience of 30 s, more than once
liar = [Case("down", "unavailable: .*(connect|refused)", lambda t: t.store.kill(), lambda t: t.store.start()),
        Case("killed in the middle of an upload", "unavailable: ", torn_and_killed, lambda t: (healed(t), t.store.start()))]


def liars(m):
    """npm fetches the program while the others run."""
    def make(t):
        t.store = stores.S3rver(t.folder, t.certificates)
        t.store.start()
        t.proxy = proxy.Proxy(f"{t.certificates}/cert.pem", f"{t.certificates}/cert.key", t.store.port)

    if stores.S3rver.install(f"{m.folder}/npm"):
        m.run(on("s3rver", liar + [c for c in proxied if c.name in torn], make))
    else:
        m.skip("s3rver", "npm cannot fetch it")


def campaigns(m):
    """What takes minutes to start."""
    ceph = stores.Ceph(f"{m.folder}/ceph3", m.folder, osds=3)
    m.run(on("ceph, three copies", replicas, made(ceph)))
    ceph.stop()
    if not shutil.which("swift-proxy-server"):
        m.skip("swift", "it is not installed")
        return
    swift = stores.Swift(m.folder, m.folder)

    def make(t):
        t.store = swift.bucket_of(t.folder)
        t.proxy = proxy.Proxy(f"{t.certificates}/cert.pem", f"{t.certificates}/cert.key", t.store.port)

    # without conditions it looks first, and finds something with no bytes
    empty = dataclasses.replace(next(c for c in proxied if c.name == "200 to everything, empty"), says="unavailable: |conflict: ")
    m.run(on("swift", [empty if c.name == empty.name else c for c in proxied if c.name != "501 to conditions"], make))


def made(ceph, behind_proxy=False, own_gateway=False):
    def make(t):
        t.store = ceph.store(t.folder, bucket=t.case.name != "bucket is missing")
        if own_gateway:
            t.server = stores.Gateway(ceph, t.folder)
            t.server.start()
            t.by_port = t.server.port
        if behind_proxy:
            t.proxy = proxy.Proxy(f"{t.certificates}/cert.pem", f"{t.certificates}/cert.key", t.by_port or t.store.port)
    return make


def alone(m, ceph):
    """A gateway that is killed or stopped makes the administration of its Ceph wait for half a minute, and storage
    that stands still makes all buckets wait: a Ceph of their own, and one after the other where one would disturb."""
    m.run(on("ceph", storage, made(ceph)))
    ready = threading.Barrier(len(gateway) + len(in_upload))

    def together(make):
        def waits_for_others(t):
            try:
                make(t)
            except Exception:
                ready.abort()
                raise
            if not os.environ.get("CAM_CASE"):
                ready.wait(600)  # the others may wait for a place
        return waits_for_others

    m.run(on("ceph", gateway, together(made(ceph, own_gateway=True))) + on("ceph", in_upload, together(made(ceph, True, True))))


def main():
    for program in ("ceph-mon", "ceph-osd", "radosgw", "ceph"):
        if not shutil.which(program):
            print(f"1..0 # SKIP {program} is not installed")
            return
    m = matrix.Matrix()
    ceph, other = stores.Ceph(f"{m.folder}/ceph", m.folder), stores.Ceph(f"{m.folder}/ceph2", m.folder)
    beside = [threading.Thread(target=alone, args=(m, other)), threading.Thread(target=liars, args=(m,))]
    for b in beside:
        b.start()
    m.run(on("ceph", own, made(ceph)) + on("ceph", proxied, made(ceph, True)))
    for b in beside:
        b.join()
    if int(os.environ.get("CAM_LONG", "1")) > 1:
        campaigns(m)
    m.done()


main()
