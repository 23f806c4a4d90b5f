#!/usr/bin/python3
# defends: lose.false-ack
"""The fault matrix of cam-ship on nginx and Apache, on nginx behind a proxy that breaks things, and on rclone, which
shows half of an upload under its name."""
import os
import shutil
import socket
import sys
import threading
import urllib.parse

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pipe")]
import camera
import matrix
import proxy
import stores
from breaks import HTML, TIMES_OUT, answer, calm_after, healed, healed_when_asked, lose_first, lose_then, rule
from matrix import Case, on

BIG = 12_000_000


def partial(t):
    """Bytes of a large upload that has come in part, or 0."""
    sizes = [os.path.getsize(p) for d, _, names in os.walk(t.store.root) for p in (os.path.join(d, n) for n in names) if os.path.exists(p)]
    return max([s for s in sizes if 100_000 < s < BIG], default=0)


def killed_in_upload(t):
    """Killed when a part of a large PUT has come, which takes three seconds."""
    t.camera.add(1, os.urandom(BIG))
    camera.waits(60, lambda: partial(t))
    t.store.pause()
    t.notes["partial"] = partial(t)
    t.store.kill()


def was_in_upload(t):
    yield t.notes["partial"], f"{t.notes['partial']} bytes of {BIG} had come"


def no_temporary_objects(t):
    left = [k for k in t.store.keys() if not k.endswith(".cam")]
    # whoever of four at a time, and of one that is held, failed last and had nothing to send since
    yield len(left) <= 5, "no more temporary objects are left than remembered", left


class Elsewhere:
    """Another host, to which the redirects lead: what reaches it is counted."""
    def __init__(self):
        self.met = 0
        self.listener = socket.create_server(("127.0.0.3", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            self.met += 1
            connection.close()


elsewhere = Elsewhere()


def redirect(status):
    return answer(status, "", {"Location": f"https://127.0.0.3:{elsewhere.port}/cams/door/"})


def never_elsewhere(_):
    yield elsewhere.met == 0, "the other host never sees a byte", elsewhere.met


def taken(t):
    """While the server is away, two of the waiting segments come to lie under their keys, one with other bytes."""
    t.store.kill()
    camera.waits(120, lambda: len(t.camera.unnamed()) >= 5)
    same, other = t.camera.unnamed()[:2]
    t.notes["other"] = other
    t.notes["key"] = camera.key(other, t.camera.expected(other))
    t.store.put(camera.key(same, t.camera.expected(same)), t.camera.expected(same))
    t.store.put(t.notes["key"], b"x" * len(t.camera.expected(other)))
    t.store.start()


def others_go_on(t):
    camera.waits(120, lambda: len(t.camera.named) > 6)
    t.notes["others"] = len(t.camera.named)


def conflict_solved(t):
    t.notes["kept"] = t.store.get(t.notes["key"])
    t.notes["named"] = t.notes["other"] in t.camera.named
    others_go_on(t)
    os.unlink(f"{t.store.root}/cams/door/{t.notes['key']}")


def conflict_checks(t):
    yield t.notes["kept"] == b"x" * len(t.notes["kept"]), "the other bytes are left alone"
    yield not t.notes["named"], "the segment is not named before they are gone"
    yield t.notes["others"] > 6, "the others went on", t.notes["others"]


def too_large(t):
    t.notes["big"] = t.camera.add(1, os.urandom(600_000))


def room_for_large(t):
    others_go_on(t)
    t.store.kill()
    t.store.limits = "client_max_body_size 0;"
    t.store.start()


def others_went_on(least):
    def check(t):
        yield t.notes["others"] >= least, f"the others went on: {t.notes['others']} names", t.camera.log()
    return check


def disk_filled(t):
    with open(f"{t.store.root}/ballast", "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(65536))
        except OSError:
            pass


def disk_freed(t):
    os.unlink(f"{t.store.root}/ballast")


def certificate_swapped(name):
    def breaks(t):
        t.store.kill()
        t.store.cert = name
        t.store.start()
    return breaks


def certificate_back(t):
    certificate_swapped("cert")(t)


def held_upload(change):
    """What the change does to a segment's file happens while its PUT is held up half-way."""
    def breaks(t):
        t.proxy.break_(lambda r: ("hold",) if r.method == "PUT" else None)
        t.proxy.held.wait(120)
        path = next(p for _, m, p in reversed(t.proxy.requests) if m == "PUT")
        t.notes["name"] = name = os.path.basename(path).rsplit("-", 1)[0] + ".cam"
        change(t, name, f"{t.camera.spool}/{name}")
        t.proxy.let_go()
    return breaks


def grows(t, name, path):
    t.camera.replaced.add(name)
    with open(path, "ab") as f:
        f.write(b"more")


def replaced(t, name, path):
    t.camera.replaced.add(name)
    with open(path + ".new", "wb") as f:
        f.write(os.urandom(50_000))
    os.rename(path + ".new", path)


def vanishes(t, name, path):
    os.unlink(path)


def unreadable(t):
    t.notes["name"] = t.camera.add(1, os.urandom(30_000), mode=0)


def readable(t):
    others_go_on(t)
    os.chmod(f"{t.camera.spool}/{t.notes['name']}", 0o640)


def io_errors(t):
    said = f"{t.folder}/strace.log"
    t.notes["strace"] = camera.start(["strace", "-f", "-o", "/dev/null", "-e", "trace=pread64,read", "-P", f"{t.camera.spool}/{t.camera.added(1)}", "-e", "inject=pread64,read:error=EIO",
                                      "-p", t.camera.ship.pid], stderr=open(said, "wb"))
    camera.waits(60, lambda: b"attached" in camera.read(said))
    t.camera.add(1, os.urandom(30_000))


def io_errors_end(t):
    others_go_on(t)
    t.notes["strace"].terminate()
    t.notes["strace"].wait()


def no_collection_now(t):
    """A PUT finds its collection missing; whoever makes it is asked to come again later."""
    t.proxy.break_(lambda r: ("answer", 409, {}, b"") if r.method == "PUT" else ("answer", 429, {"Retry-After": "3"}, b"") if r.method == "MKCOL" else None)


def taken_already(t):
    """MOVE finds its key taken by the same bytes, and the removal of the temporary object is asked to come again later."""
    def judge(r):
        if r.method == "DELETE":
            return ("answer", 503, {"Retry-After": "3"}, b"")
        if r.method == "HEAD":
            return ("answer", 404, {}, b"")
        if r.method == "MOVE":
            key = urllib.parse.urlsplit(r.get("Destination")).path.removeprefix("/cams/door/")
            for n in t.camera.segments():
                data = t.camera.expected(n)
                if data and camera.key(n, data) == key:
                    t.store.put(key, data)
        return None
    t.proxy.break_(judge)


def no_move_any_more(t):
    """One has put its bytes under a temporary name and waits for them to be read back, when another learns that there
    is no MOVE: that they are there says nothing about the key."""
    refused, waited = threading.Event(), []

    def judge(r):
        if r.method == "MOVE":
            refused.set()
            return ("answer", 403, {}, b"")
        if r.method == "GET" and r.path.endswith(".tmp") and not waited:
            waited.append(r.path)
            refused.wait(20)
            camera.waits(5, lambda: t.camera.says("goes on without"))  # the other one knows
        return None
    t.proxy.break_(judge)


AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "0", "--clear-groups") if os.getuid() == 0 else ()
FAST = ("-T", "5")  # a slow machine can do what it has to in that time

direct = [
    Case("server down", "unavailable: .*(connect|refused)", lambda t: t.store.kill(), lambda t: t.store.start()),
    Case("server down for longer", "unavailable: ", lambda t: t.store.kill(), lambda t: t.store.start(), fault_s=9),
    Case("killed in the middle of an upload", "unavailable: ", killed_in_upload, lambda t: t.store.start(), options=("-l", "4M"), check=was_in_upload),
    Case("server stands still", TIMES_OUT, lambda t: t.store.pause(), lambda t: t.store.go_on(), options=FAST, fault_s=7),
    Case("keys are taken", "conflict: .* has other bytes", taken, conflict_solved, check=conflict_checks),
    Case("certificate of another CA", "unavailable: .*SSL", certificate_swapped("other"), certificate_back),
    Case("certificate has expired", "unavailable: .*SSL.*expired", certificate_swapped("expired"), certificate_back),
]
nginx_only = [
    Case("too large for the server", "413.*: set aside", too_large, room_for_large, check=others_went_on(6)),
    Case("disk of the server full", "unavailable: .*(500|507)", disk_filled, disk_freed, fault_s=6, check=no_temporary_objects),
    Case("unreadable file", "open: Permission denied: set aside", unreadable, readable, prefix=AS_NOBODY, check=others_went_on(6)),
    Case("file with I/O errors", "read: Input/output error: set aside", io_errors, io_errors_end, check=others_went_on(6)),
]
proxied = [
    Case("503", "unavailable: .*503", answer(503), healed),
    Case("503 with Retry-After", "unavailable: .*503", answer(503, header={"Retry-After": "3"}), healed_when_asked(2), options=("-j", "1"), check=calm_after(3)),
    Case("503 with Retry-After to what is only tidied", "unavailable: .*DELETE: answers 503", lose_then("PUT", ("DELETE", "HEAD"), 503, 3), healed_when_asked(2), options=("-j", "1"), check=calm_after(3)),
    Case("503 with Retry-After after storing", "", taken_already, healed_when_asked(2), options=("-j", "1"), check=calm_after(3)),
    Case("429 with Retry-After to a collection", "unavailable: .*MKCOL: answers 429", no_collection_now, healed_when_asked(2), options=("-j", "1"), check=calm_after(3)),
    Case("429", "unavailable: .*429", answer(429), healed),
    Case("500", "unavailable: .*500", answer(500), healed),
    Case("401", "unavailable: .*401", answer(401), healed),
    Case("403 to writing", "unavailable: .*403", answer(403, methods=("PUT", "MOVE", "MKCOL")), healed),
    Case("no MOVE from now on", "MOVE: answers 403: goes on without", no_move_any_more, healed),
    Case("404 to writing", "unavailable: .*404", answer(404, methods=("PUT", "MOVE", "MKCOL")), healed),
    Case("409", "unavailable: .*409", answer(409, methods=("PUT", "MKCOL")), healed),
    Case("507", "unavailable: .*507", answer(507, methods=("PUT",)), healed),
    Case("captive portal", "unavailable: .*(portal|other bytes)", answer(200, *HTML), healed),
    Case("captive portal, by redirect", "unavailable: .*302: redirects are refused", redirect(302), healed, check=never_elsewhere),
    Case("moved for good", "unavailable: .*301: redirects are refused", redirect(301), healed, check=never_elsewhere),
    Case("redirected with the method kept", "unavailable: .*307: redirects are refused", redirect(307), healed, check=never_elsewhere),
    Case("answers to PUT are lost", "unavailable: ", lose_first("PUT"), healed, check=no_temporary_objects),
    Case("answers to MOVE are lost", "", lose_first("MOVE"), healed, check=no_temporary_objects),
    Case("all answers are lost", "unavailable: ", rule(("lose",)), healed, check=no_temporary_objects),
    Case("all answers are cut off", "unavailable: ", rule(("cut",)), healed, check=no_temporary_objects),
    Case("reading back is cut off", "unavailable: ", rule(("cut",), ("GET",)), healed, check=no_temporary_objects),
    Case("reading back gives other bytes", "unavailable: .*other bytes", rule(("mangle-answer",), ("GET",)), healed, check=no_temporary_objects),
    Case("bytes change on their way", "unavailable: .*other bytes", rule(("mangle",), ("PUT",)), healed, check=no_temporary_objects),
    Case("reset in the body", "unavailable: ", rule(("reset", 20000), ("PUT",)), healed, check=no_temporary_objects),
    Case("torn on the way to the server", "unavailable: ", rule(("tear", 30000), ("PUT",)), healed, check=no_temporary_objects),
    Case("stalls in the body", TIMES_OUT, rule(("stall", 20000), ("PUT",)), healed, options=FAST, fault_s=7),
    Case("file grows while it is sent", "changed while it was sent: set aside", held_upload(grows), healed),
    Case("file is replaced while it is sent", "changed while it was sent: set aside", held_upload(replaced), healed),
    Case("file vanishes while it is sent", "", held_upload(vanishes), healed),
]

torn = ("server down", "killed in the middle of an upload", "keys are taken")
torn_behind_proxy = ("torn on the way to the server", "answers to PUT are lost", "bytes change on their way", "all answers are lost")


def chosen(cases, names):
    return [c for c in cases if c.name in names]


def make(kind, behind_proxy):
    def made(t):
        folder = f"{t.folder}/server"
        os.mkdir(folder)
        if t.case.name == "disk of the server full":
            os.mkdir(f"{folder}/www")
            stores.run("mount", "-t", "tmpfs", "-o", "size=20M", "camfull", f"{folder}/www")
            camera.atexit.register(lambda: stores.run("umount", "-l", f"{folder}/www"))
        t.store = t.server = kind(folder, t.certificates)
        if t.case.name == "too large for the server":
            t.store.limits = "client_max_body_size 300k;"
        t.store.start()
        stores.run("chmod", "-R", "a+rwX", t.store.root)
        if behind_proxy:
            t.proxy = proxy.Proxy(f"{t.certificates}/cert.pem", f"{t.certificates}/cert.key", t.store.port)
    return made


def main():
    m = matrix.Matrix()
    stores.make_certificates(m.folder, ca="other-ca", cert="other")
    stores.make_certificates(m.folder, cert="expired", before=("env", "FAKETIME=-10d", "sh", f"{stores.HERE}/faked.sh"))
    jobs = []
    if shutil.which("nginx"):
        jobs += on("nginx", direct + nginx_only, make(stores.Nginx, False)) + on("nginx", proxied, make(stores.Nginx, True))
    if os.path.exists("/usr/sbin/apache2"):
        jobs += on("apache", direct, make(stores.Apache, False))
    if shutil.which("rclone"):
        jobs += on("rclone", chosen(direct, torn), make(stores.Rclone, False)) + on("rclone", chosen(proxied, torn_behind_proxy), make(stores.Rclone, True))
    m.run(jobs)
    m.done()


main()
