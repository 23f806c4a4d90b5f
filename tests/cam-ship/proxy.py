"""A proxy with TLS in front of a real server that breaks what it is told to, in threads of this process.

Its rule is called for each request and returns what to do:
    None                          pass it on
    ("answer", status, {header: value}, body)   answer instead of the server, which sees nothing
    ("lose",)                     pass it on, and drop the connection instead of the answer
    ("cut",)                      pass it on, give back half of the answer and close
    ("reset", n)                  drop the connection after n bytes of the body
    ("tear", n)                   pass on n bytes of the body, then drop both connections
    ("mangle",)                   pass it on with one bit of the body changed
    ("mangle-answer",)            pass it on, change one bit of the answer's body
    ("hold",)                     wait until let_go() before passing it on
    ("stall", n)                  read n bytes of the body and nothing more; answer nothing"""
import http.client
import socket
import ssl
import struct
import threading
import time


class Request:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ", 2)
        self.header = [tuple(line.split(": ", 1)) for line in lines[1:] if ": " in line]
        self.body = b""

    def get(self, name):
        return next((v for k, v in self.header if k.lower() == name.lower()), None)


def hang_up(connection):
    """With a reset instead of an orderly end."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket(fileno=connection.detach()).close()
    except OSError:
        pass


def flipped(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:] if data else b"x"


class Proxy:
    def __init__(self, cert, key, upstream_port):
        self.upstream_port = upstream_port
        self.rule = None
        self.requests = []  # (monotonic time, method, path)
        self.broken = []  # those that the rule meant: [when it came, when it was answered or None, on which connection, the answer's header]
        self.released = threading.Event()
        self.held = threading.Event()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(cert, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def break_(self, rule):
        self.released.clear()
        self.held.clear()
        self.rule = rule

    def heal(self):
        self.rule = None
        self.released.set()

    let_go = heal

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        upstream = None
        try:
            connection.settimeout(120)
            connection = self.context.wrap_socket(connection, server_side=True)
            plain = ssl.create_default_context()
            plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
            upstream = http.client.HTTPSConnection("127.0.0.1", self.upstream_port, timeout=120, context=plain)
            ahead = b""
            while True:
                ahead = self.one(connection, upstream, ahead)
                if ahead is None:
                    break
        except (OSError, http.client.HTTPException, ValueError):
            pass
        finally:
            hang_up(connection)
            if upstream:
                upstream.close()

    def one(self, connection, upstream, ahead):
        """One request. What was read beyond it, or None at the end of the connection."""
        while b"\r\n\r\n" not in ahead:
            more = connection.recv(65536)
            if not more or len(ahead) > 65536:
                return None
            ahead += more
        head, body = ahead.split(b"\r\n\r\n", 1)
        req = Request(head)
        self.requests.append((time.monotonic(), req.method, req.path))
        what, *arg = (self.rule(req) if self.rule else None) or ("pass",)
        if what != "pass":
            self.broken.append([time.monotonic(), None, connection, arg[1] if what == "answer" else {}])
            broken = self.broken[-1]
        length = int(req.get("Content-Length") or 0)
        most = min(length, arg[0]) if what in ("reset", "tear", "stall") else length
        if req.get("Expect"):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(body) < most:
            more = connection.recv(min(65536, length - len(body)))
            if not more:
                return None
            body += more
        req.body, ahead = body[:most if what == "tear" else length], body[length:]
        if what in ("hold", "stall"):
            self.held.set()
            self.released.wait(600)
        if what in ("reset", "stall"):
            return None
        if what == "answer":
            status, header, data = arg
            broken[1] = time.monotonic()
            self.reply(connection, req, status, "So", list(header.items()), data)
            return ahead
        if what == "mangle":
            req.body = flipped(req.body)
        res = self.forward(upstream, req, length)
        if what in ("lose", "tear"):
            return None
        data = res.read()
        if what == "mangle-answer":
            data = flipped(data)
        return ahead if self.reply(connection, req, res.status, res.reason, res.getheaders(), data, what == "cut") else None

    def forward(self, upstream, req, length):
        upstream.putrequest(req.method, req.path, skip_host=True, skip_accept_encoding=True)
        for k, v in req.header:
            if k.lower() not in ("connection", "expect"):
                upstream.putheader(k, v)
        upstream.endheaders(req.body)
        if len(req.body) < length:
            upstream.sock.shutdown(socket.SHUT_RDWR)
            time.sleep(0.1)
            raise OSError
        return upstream.getresponse()

    def reply(self, connection, req, status, reason, header, data, cut=False):
        head = f"HTTP/1.1 {status} {reason}\r\n"
        for k, v in header:
            if k.lower() not in ("connection", "transfer-encoding", "content-length"):
                head += f"{k}: {v}\r\n"
        given = next((v for k, v in header if k.lower() == "content-length"), None)
        size = given if req.method == "HEAD" and given else len(data)
        if status not in (204, 304):
            head += f"Content-Length: {size}\r\n"
        whole = head.encode("latin-1") + b"\r\n" + (b"" if req.method == "HEAD" else data)
        if cut:
            whole = whole[:len(whole) // 2]
        connection.sendall(whole)
        return not cut
