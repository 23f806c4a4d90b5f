"""Real servers on loopback for the fault matrix: nginx and Apache with WebDAV, Ceph's S3 gateway. Each can be killed,
stopped in the middle (SIGSTOP) and asked for an object by a way that is not cam-ship's."""
import copy
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import camera

HERE = os.path.dirname(os.path.abspath(__file__))


def run(*command, **how):
    return subprocess.run(list(map(str, command)), **{"check": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "timeout": 300, **how}).stdout


bound = []


def free_port():
    """One that stays free, as those of ports.py, as long as this process lives."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    bound.append(s)
    return s.getsockname()[1]


def unread(port, least=1):
    """Whether so many bytes have come for the server at this port of loopback that it has not taken."""
    lines = [line.split() for line in (camera.read("/proc/net/tcp") or b"").decode().splitlines()[1:]]
    return any(f[1].endswith(f":{port:04X}") and f[3] == "01" and int(f[4].split(":")[1], 16) >= least for f in lines)


def answers(host, port):
    try:
        socket.create_connection((host, port), 30).close()
        return True
    except OSError:
        return False


def make_certificates(folder, addresses=("127.0.0.1",), ca="ca", cert="cert", before=()):
    """A CA and a certificate for localhost, server.test and the addresses. before: a prefix, with another clock."""
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    if not os.path.exists(f"{folder}/{ca}.pem"):
        run(*new, "-x509", "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-days", 3, "-subj", f"/CN=test-{ca}", cwd=folder)
    run(*new, "-keyout", f"{cert}.key", "-out", f"{cert}.req", "-subj", "/CN=localhost", cwd=folder)
    with open(f"{folder}/{cert}.ext", "w") as f:
        f.write("subjectAltName=DNS:localhost,DNS:server.test," + ",".join("IP:" + a for a in addresses) + "\n")
    run(*before, "openssl", "x509", "-req", "-in", f"{cert}.req", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", 2,
        "-extfile", f"{cert}.ext", "-out", f"{cert}.pem", cwd=folder)
    os.chmod(f"{folder}/{ca}.pem", 0o644)


class Dav:
    """What WebDAV servers have in common: one process, whose document root is the store."""

    slow = False  # asking for an object is cheap

    def __init__(self, folder, certificates, wrap=(), host="127.0.0.1", port=None):
        self.folder, self.certificates, self.wrap, self.host = folder, certificates, list(wrap), host
        self.root = f"{folder}/www"
        self.port = port or free_port()
        self.cert = "cert"
        self.process = None
        os.makedirs(f"{folder}/body", exist_ok=True)
        os.makedirs(self.root, exist_ok=True)
        os.chmod(folder, 0o755)

    def start(self):
        self.configure()
        self.process = camera.start(self.wrap + self.command(), stderr=open(f"{self.folder}/server.log", "ab"))
        if not self.wrap and not camera.waits(120, lambda: answers(self.host, self.port)):
            raise RuntimeError(f"{type(self).__name__} does not start: {camera.read(self.folder + '/server.log')} {camera.read(self.folder + '/error.log')}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def get(self, object_key):
        return camera.read(f"{self.root}/cams/door/{object_key}")

    def put(self, object_key, data):
        path = f"{self.root}/cams/door/{object_key}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        run("chmod", "-R", "a+rwX", self.root)

    def keys(self):
        """Keys of all that is stored, below the URL."""
        top = f"{self.root}/cams/door/"
        return [os.path.join(d, n)[len(top):] for d, _, names in os.walk(top) for n in names]

    def url(self, port=None):
        return f"https://localhost:{port or self.port}/cams/door/"

    def requests(self):
        return len((camera.read(f"{self.folder}/access.log") or b"").splitlines())


class Nginx(Dav):
    limits = "client_max_body_size 0;"

    def configure(self):
        f = self.folder
        paths = "".join(f"{k}_temp_path {f}/body/{k};\n" for k in ("proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.getuid() == 0 else ""
        with open(f"{f}/nginx.conf", "w") as out:
            out.write(f"""{user} daemon off; master_process off; pid {f}/pid; error_log {f}/error.log;
                events {{ }}
                http {{ access_log {f}/access.log; {paths} client_body_temp_path {self.root}/.body; {self.limits}
                server {{ listen {self.host}:{self.port} ssl; root {self.root};
                ssl_certificate {self.certificates}/{self.cert}.pem; ssl_certificate_key {self.certificates}/{self.cert}.key;
                location / {{ dav_methods PUT DELETE MKCOL COPY MOVE; }} }} }}""")

    def command(self):
        return ["nginx", "-e", f"{self.folder}/error.log", "-p", self.folder, "-c", f"{self.folder}/nginx.conf"]


class Apache(Dav):
    def configure(self):
        f = self.folder
        if os.getuid() == 0:
            run("chown", "-R", "www-data", self.root)
        modules = "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in ("mpm_event", "authz_core", "ssl", "dav", "dav_fs"))
        with open(f"{f}/apache.conf", "w") as out:
            out.write(f"""ServerName localhost
                ServerRoot {f}
                PidFile {f}/pid
                ErrorLog {f}/error.log
                Listen {self.host}:{self.port}
                {modules}
                User www-data
                Group www-data
                StartServers 1
                SSLEngine on
                SSLCertificateFile {self.certificates}/{self.cert}.pem
                SSLCertificateKeyFile {self.certificates}/{self.cert}.key
                DocumentRoot {self.root}
                DAVLockDB {f}/www/.lock
                LogFormat "%m %>s %U" short
                CustomLog {f}/access.log short
                <Directory {self.root}>
                Require all granted
                Dav On
                </Directory>\n""")

    def command(self):
        if os.path.exists(f"{self.folder}/pid"):  # of one that was killed
            os.unlink(f"{self.folder}/pid")
        return ["/usr/sbin/apache2", "-f", f"{self.folder}/apache.conf", "-X"]  # one process, which leaves nobody behind when it is killed


class Rclone(Dav):
    """Shows half of a PUT under its name, overwrites in spite of If-None-Match."""

    def configure(self):
        os.makedirs(f"{self.folder}/home", exist_ok=True)

    def command(self):
        return ["env", f"HOME={self.folder}/home", "rclone", "serve", "webdav", self.root, "--addr", f"{self.host}:{self.port}", "--config", f"{self.folder}/rclone.conf", "--dir-cache-time", "1s",
                "--cert", f"{self.certificates}/{self.cert}.pem", "--key", f"{self.certificates}/{self.cert}.key"]


class S3:
    """An S3 server behind a port with TLS, asked by curl."""

    slow = True  # a name is checked later, all in one go

    def __init__(self, folder, port, ca, access, secret, bucket):
        self.folder, self.port, self.ca, self.access, self.secret, self.bucket = folder, port, ca, access, secret, bucket
        self.objects = {}
        self.lock = threading.Lock()

    def curl(self, *arguments, body=b"", check=True):
        # curl 7.88 does not send the hash of the body itself
        return subprocess.run(["curl", "-s", "--cacert", self.ca, "--max-time", "120", *(["-f"] if check else []),
                               "-H", f"x-amz-content-sha256: {hashlib.sha256(body).hexdigest()}", "--aws-sigv4", "aws:amz:us-east-1:s3",
                               *self.user(), *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=check, timeout=300).stdout

    def user(self):
        return ["-u", f"{self.access}:{self.secret}"]

    def base(self, port=None):
        return f"https://localhost:{port or self.port}/{self.bucket}"

    def bucket_make(self):
        self.curl("-X", "PUT", self.base())

    def put(self, object_key, data):
        with tempfile.NamedTemporaryFile(dir=self.folder) as f:
            f.write(data)
            f.flush()
            self.curl("-T", f.name, f"{self.base()}/door/{object_key}", body=data)

    def get(self, object_key):
        """The object; keys that fetch() has just fetched come from there."""
        if object_key in self.objects:
            return self.objects[object_key]
        data = self.curl("-w", "%{http_code}", f"{self.base()}/door/{object_key}", check=False)
        return data[:-3] if data.endswith(b"200") else None

    def fetch(self, keys):
        """Many objects over one connection."""
        with self.lock:
            out = f"{self.folder}/fetched"
            shutil.rmtree(out, ignore_errors=True)
            os.mkdir(out)
            config = "".join(f'url = "{self.base()}/door/{k}"\noutput = "{out}/{i}"\n' for i, k in enumerate(keys))
            with open(f"{self.folder}/curl.config", "w") as f:
                f.write(config)
            self.curl("-K", f"{self.folder}/curl.config", check=False)
            self.objects = {k: camera.read(f"{out}/{i}") for i, k in enumerate(keys)}

    def keys(self):
        listing = self.curl(f"{self.base()}?list-type=2").decode()
        return [k[5:] for k in re.findall(r"<Key>([^<]*)</Key>", listing) if k.startswith("door/")]

    def url(self, port=None):
        return f"s3://{self.bucket}/door/"

    def environment(self, port=None):
        return {"AWS_ENDPOINT_URL": f"https://localhost:{port or self.port}", "AWS_ACCESS_KEY_ID": self.access, "AWS_SECRET_ACCESS_KEY": self.secret}


class Ceph:
    """The cluster; S3() of it are buckets, each with a user of its own."""

    def __init__(self, folder, certificates, osds=1):
        self.folder, self.certificates = folder, certificates
        self.script = f"{HERE}/ceph.sh"
        self.lock = threading.Lock()
        self.users = 0
        camera.atexit.register(self.stop)
        self.port = int(run(self.script, "start", folder, f"{certificates}/cert.pem", f"{certificates}/cert.key", *([osds] if osds != 1 else []), stderr=None, timeout=600))

    def stop(self):
        run(self.script, "stop", self.folder)

    def admin(self, *arguments, **how):
        return run(self.script, "admin", self.folder, *arguments, **how)

    def store(self, folder, port=None, bucket=True):
        """A user and a bucket. port: of another gateway."""
        with self.lock:
            self.users += 1
            uid = f"user{self.users}"
        access, secret = f"ACCESS{self.users:014}", f"secret{self.users:034}"
        self.admin("user", "create", "--uid", uid, "--display-name", uid, "--access-key", access, "--secret-key", secret)
        s3 = S3(folder, port or self.port, f"{self.certificates}/ca.pem", access, secret, f"bucket-{uid}")
        s3.uid, s3.ceph = uid, self
        if bucket:
            s3.bucket_make()
        return s3

    def osd_start(self, osd):
        run(self.script, "osd-start", self.folder, osd)

    def osd_signal(self, osd, number):
        os.kill(int(camera.read(f"{self.folder}/run/osd.{osd}.pid")), number)


class Gateway:
    """A second gateway of a Ceph, in the foreground, to be killed and stopped without harm to others."""

    def __init__(self, ceph, folder):
        self.ceph, self.folder, self.port = ceph, folder, free_port()
        self.process = None

    def start(self):
        c = self.ceph.certificates
        self.process = camera.start(
            ["radosgw", "-c", f"{self.ceph.folder}/ceph.conf", "-n", "client.rgw", "-f", "--pid-file", f"{self.folder}/rgw.pid",
             "--admin-socket", f"{self.folder}/rgw.asok", "--log-file", f"{self.folder}/rgw.log",
             f"--rgw-frontends=beast ssl_endpoint=127.0.0.1:{self.port} ssl_certificate={c}/cert.pem ssl_private_key={c}/cert.key"],
            stderr=open(f"{self.folder}/gateway.log", "ab"), stdout=subprocess.DEVNULL)
        if not camera.waits(120, lambda: answers("127.0.0.1", self.port)):
            raise RuntimeError("radosgw does not start")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


class Swift(S3):
    """OpenStack Swift: a second implementation, which knows neither If-None-Match (501) nor Object Lock."""

    def __init__(self, folder, certificates):
        self.home = f"{certificates}/swift"
        self.script = f"{HERE}/swift.sh"
        camera.atexit.register(lambda: run(self.script, "stop", self.home))
        port = int(run(self.script, "start", self.home, f"{certificates}/cert.pem", f"{certificates}/cert.key", stderr=None, timeout=600))
        super().__init__(folder, port, f"{certificates}/ca.pem", "cam:door", "camsecret", "bucket")

    def bucket_of(self, folder):
        """One more bucket, for a case of its own."""
        other = copy.copy(self)
        other.folder, other.bucket = folder, f"bucket-{os.path.basename(folder)}"
        other.objects, other.lock = {}, threading.Lock()
        other.bucket_make()
        return other

    def user(self):
        # -u would end the name at its colon
        with open(f"{self.folder}/netrc", "w") as f:
            f.write(f"machine localhost login {self.access} password {self.secret}\n")
        return ["--netrc-file", f"{self.folder}/netrc"]


class S3rver(S3):
    """Shows half of a PUT under its name, checks neither what is signed nor If-None-Match."""

    installed = None

    @classmethod
    def install(cls, folder):
        """Whether npm could put it there."""
        os.mkdir(folder)
        done = shutil.which("npm") and subprocess.run(["timeout", "300", "npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "s3rver@3.7.1"], check=False, cwd=folder,
                                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
        cls.installed = f"{folder}/node_modules/.bin/s3rver" if done else None
        return cls.installed

    def __init__(self, folder, certificates):
        super().__init__(folder, free_port(), f"{certificates}/ca.pem", "S3RVER", "S3RVER", "bucket")
        self.certificates, self.process = certificates, None

    def start(self):
        os.makedirs(f"{self.folder}/data", exist_ok=True)
        self.process = camera.start([self.installed, "-d", f"{self.folder}/data", "-a", "127.0.0.1", "-p", self.port, "--key", f"{self.certificates}/cert.key",
                                     "--cert", f"{self.certificates}/cert.pem", "--no-vhost-buckets", "--configure-bucket", "bucket"],
                                    stdout=open(f"{self.folder}/s3rver.log", "ab"), stderr=subprocess.STDOUT)
        if not camera.waits(120, lambda: answers("127.0.0.1", self.port)):
            raise RuntimeError(f"s3rver does not start: {camera.read(self.folder + '/s3rver.log')}")

    def kill(self):
        self.process.kill()
        self.process.wait()
