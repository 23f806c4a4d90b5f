#!/usr/bin/python3
"""A server with TLS that misbehaves as its mode file says. usage: liar.py PORT CERT KEY MODEFILE LOG

Honest mode is a small WebDAV server in memory; the others break one thing. The mode is read anew for each request,
or is the first part of the path when that is m-MODE. The log has one line per request: METHOD PATH."""
import hashlib
import http.server
import os
import socket
import ssl
import struct
import sys
import time

port, cert, key, mode_file, log_file = sys.argv[1:]
store = {}
count = {}


def mode(path):
    first = path.split("/")[1]
    if first.startswith("m-"):
        return [first[2:]]
    with open(mode_file) as f:
        return f.read().split()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **header):
        self.send_response(status)
        for k, v in header.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error_xml(self, status, code, **header):
        self.answer(status, b"<?xml version='1.0'?><Error><Code>%s</Code></Error>" % code.encode(), **header)

    def hang_up(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def handle_any(self):
        with open(log_file, "a") as f:
            f.write("%s %s\n" % (self.command, self.path))
        what, *arg = mode(self.path)
        if what == "portal":
            self.body()
            page = b"<html><h1>Welcome to the hotel</h1></html>"
            return self.answer(200, page, Content_Type="text/html", ETag='"5d8c72a5edda8d6a5d8c72a5edda8d6a"')
        if what == "redirect":
            self.body()
            return self.answer(302, Location="https://localhost:%s/elsewhere%s" % (port, self.path))
        if what == "stall":
            time.sleep(60)
            return self.hang_up()
        if what == "busy":
            count["busy"] = count.get("busy", 0) + 1
            if count["busy"] <= 2:
                self.body()
                return self.answer(503, Retry_After="2")
            return self.honest()
        if what == "reset" and self.command == "PUT":
            self.rfile.read(50000)
            return self.hang_up()
        if what == "poison" and self.command == "PUT" and arg[0] in self.path:
            self.rfile.read(1000)
            return self.hang_up()
        if what.startswith("s3"):
            return self.s3(what)
        if what == "truncate" and self.command == "PUT":
            data = self.body()
            store[self.path] = data[: len(data) // 2]
            return self.answer(201)
        if what == "mangle" and self.command == "PUT":
            data = bytearray(self.body())
            data[len(data) // 2] ^= 1
            store[self.path] = bytes(data)
            return self.answer(201)
        if what == "longer" and self.command == "PUT":
            store[self.path] = self.body() + b"x"
            return self.answer(201)
        if self.command == "MOVE":
            to = "/" + self.headers["Destination"].split("/", 3)[3]
            if what == "move-nothing":
                return self.answer(201)
            if what == "move-half":
                store[to] = store.pop(self.path)[:100]
                return self.answer(201)
            if what == "move-answer-lost" and not count.get(to):
                count[to] = 1
                store[to] = store.pop(self.path)
                return self.hang_up()
            if what == "no-move":
                return self.answer(405)
            if what == "taken":
                store[to] = b"other bytes"
                return self.answer(412)
        self.honest()

    def honest(self):
        if self.command == "PUT":
            store[self.path] = self.body()
            return self.answer(201)
        if self.command == "MOVE":
            to = "/" + self.headers["Destination"].split("/", 3)[3]
            if self.headers["Overwrite"] != "T" and to in store:
                return self.answer(412)
            store[to] = store.pop(self.path)
            return self.answer(201)
        if self.command == "MKCOL":
            return self.answer(201)
        if self.path not in store:
            return self.answer(404)
        if self.command == "DELETE":
            del store[self.path]
            return self.answer(204)
        self.answer(200, store[self.path])

    def s3(self, what):
        """Does not check signatures: what matters is what the client makes of the answers."""
        if self.command == "HEAD":
            if what == "s3-write-only":
                return self.answer(403)
            if self.path not in store:
                return self.answer(404)
            return self.answer(200, store[self.path])
        if self.command == "GET":
            return self.answer(200, store[self.path]) if self.path in store else self.answer(404)
        data = self.body()
        if what == "s3-412":
            return self.answer(412)
        if what == "s3-412-other":
            store[self.path] = b"other"
            return self.error_xml(412, "PreconditionFailed")
        if what == "s3-skewed":
            return self.error_xml(403, "RequestTimeTooSkewed")
        if what == "s3-denied":
            return self.error_xml(403, "AccessDenied")
        if what == "s3-too-large":
            return self.error_xml(400, "EntityTooLarge")
        if self.headers["If-None-Match"] == "*" and self.path in store:
            return self.error_xml(412, "PreconditionFailed")
        if self.headers["x-amz-content-sha256"] != hashlib.sha256(data).hexdigest():
            return self.error_xml(400, "XAmzContentSHA256Mismatch")
        etag = '"%s"' % hashlib.md5(data).hexdigest()
        if what == "s3-forgets":
            return self.answer(200, ETag=etag)
        if what == "s3-no-etag":
            return self.answer(200)
        store[self.path] = data[: len(data) // 2] if what == "s3-half" else data
        with open(log_file, "a") as f:
            f.write("TOKEN %s\n" % self.headers.get("x-amz-security-token"))
        self.answer(200, ETag=etag)

    do_GET = do_HEAD = do_PUT = do_MOVE = do_MKCOL = do_DELETE = do_PROPFIND = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)

    def handle_error(self, request, client_address):
        pass

    def finish_request(self, request, client_address):
        request.settimeout(90)
        super().finish_request(self.context.wrap_socket(request, server_side=True), client_address)


Server.context.load_cert_chain(cert, key)
Server(("127.0.0.1", int(port)), Handler).serve_forever()
