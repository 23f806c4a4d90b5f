"""Ways to break a server through the proxy in front of it, for the tables of the fault matrix."""
import camera

# curl has several words for it, by how far it had come.
TIMES_OUT = "unavailable: .*(timed ?out|[Tt]imeout|too slow)"
HTML = ("<html><h1>Welcome to the hotel</h1></html>", {"Content-Type": "text/html"})


def answer(status, body="", header=None, methods=None):
    """The same answer to everything, or to some methods."""
    return rule(("answer", status, header or {}, body.encode()), methods)


def s3_error(status, code, methods=("PUT",), header=None):
    return answer(status, f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>", {"Content-Type": "application/xml", **(header or {})}, methods)


def rule(action, methods=None):
    """One of the proxy's actions for everything, or for some methods."""
    return lambda t: t.proxy.break_(lambda r: action if not methods or r.method in methods else None)


def lose_first(*methods):
    """The answer to the first such request for each path is lost; the server has done what was asked."""
    def breaks(t):
        seen = set()

        def judge(r):
            if r.method not in methods or r.path in seen:
                return None
            seen.add(r.path)
            return ("lose",)
        t.proxy.break_(judge)
    return breaks


def lose_then(lost, again, status, seconds):
    """The first request of one kind gets no answer; from then on those of some kinds are asked to come again later."""
    def breaks(t):
        begun = []

        def judge(r):
            if r.method == lost and not begun:
                begun.append(r.path)
                return ("lose",)
            return ("answer", status, {"Retry-After": str(seconds)}, b"") if begun and r.method in again else None
        t.proxy.break_(judge)
    return breaks


def healed(t):
    t.proxy.heal()


def healed_when_asked(times):
    """Healed when so many requests have been told to come again later."""
    def heals(t):
        camera.waits(60, lambda: sum("Retry-After" in b[3] and b[1] is not None for b in list(t.proxy.broken)) >= times)
        healed(t)
    return heals


def calm_after(seconds):
    """A server that said when to come again is not asked before. What came on another connection while the answer was
    under way had been sent already."""
    crossing_s = 0.5

    def too_early(first, then):
        if first[1] is None or "Retry-After" not in first[3] or then[0] < first[1]:
            return False
        after = then[0] - first[1]
        return after < seconds and (after > crossing_s or first[2] is then[2])

    def check(t):
        asked = t.proxy.broken
        early = [then[0] - first[1] for i, first in enumerate(asked) for then in asked[i + 1:] if too_early(first, then)]
        told = sum("Retry-After" in a[3] for a in asked)
        yield told > 1 and not early, f"told {told} times, nobody asked sooner than Retry-After says", early
    return check
