"""How fast a backlog drains: cam-ship beside curl and rclone on the same server, with the same verification, as many
transfers at a time; and how soon it begins when very much waits."""
import hashlib
import os
import shutil
import statistics
import subprocess
import time

import camera
import stores

JOBS = 4
SIZE, COUNT = 600_000, 200  # about what five seconds at 1 Mbit/s are


def name(number):
    return f"{1:010}-{number:010}-20260101T000000Z-0123456789abcdef.cam"


class FullNginx(stores.Nginx):
    """With PROPFIND, which rclone needs."""

    def configure(self):
        super().configure()
        with open(f"{self.folder}/nginx.conf") as f:
            text = f.read()
        text = text.replace("dav_methods", "dav_ext_methods PROPFIND OPTIONS; create_full_put_path on; dav_methods")
        with open(f"{self.folder}/nginx.conf", "w") as f:
            f.write("load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;\n" + text)


def fill(spool):
    os.mkdir(spool)
    for i in range(COUNT):
        with open(f"{spool}/{name(i)}", "wb") as f:
            f.write(os.urandom(SIZE))


def curl_config(path, entries):
    """Lines of a config file for transfers that are independent of each other."""
    with open(path, "w") as f:
        f.write("next\n".join("".join(f'{k} = "{v}"\n' for k, v in e.items()) for e in entries))


def webdav(folder, pair):
    server = FullNginx(f"{folder}/nginx", folder)
    server.start()
    spool, url = f"{folder}/spool", f"https://localhost:{server.port}/plain/"
    common = {"cacert": f"{folder}/ca.pem", "silent": "", "fail": ""}
    common = {k: v for k, v in common.items() if v}
    names = [name(i) for i in range(COUNT)]
    curl_config(f"{folder}/put.curl", [{**common, "url": url + n, "upload-file": f"{spool}/{n}"} for n in names])
    curl_config(f"{folder}/get.curl", [{**common, "url": url + n, "output": f"{folder}/back/{n}"} for n in names])
    curl = f"curl -sSf --fail-early --parallel --parallel-max {JOBS} -K"

    def empty():
        for d in ("cams", "plain", "rclone"):
            shutil.rmtree(f"{server.root}/{d}", ignore_errors=True)
        shutil.rmtree(f"{folder}/back", ignore_errors=True)
        os.makedirs(f"{folder}/back")

    ours = f"cam-ship -1 -j {JOBS} -C {folder}/ca.pem -d {spool} {server.url()} > {folder}/names && test $(wc -l < {folder}/names) = {COUNT}"
    print(f"# nginx: {COUNT} segments of {SIZE} bytes, TLS on loopback, {JOBS} at a time, every byte read back and compared")
    pair("ship to nginx", ours, f"{curl} {folder}/put.curl > /dev/null && {curl} {folder}/get.curl && diff -r {folder}/back {spool}", "curl", empty)
    rclone = f"rclone --config /dev/null --ca-cert {folder}/ca.pem --transfers {JOBS} --checkers {JOBS} --webdav-url https://localhost:{server.port}/"
    pair("ship to nginx", ours, f"{rclone} copy {spool} :webdav:rclone && {rclone} check --download {spool} :webdav:rclone", "rclone", empty)
    server.kill()


def s3(folder, pair):
    os.environ["CEPH_BYTES"] = str(16 << 30)
    ceph = stores.Ceph(f"{folder}/ceph", folder)
    store = ceph.store(folder)
    env = store.environment()
    spool, base, names = f"{folder}/spool", f"{store.base()}/plain", [name(i) for i in range(COUNT)]
    os.environ.update(env, RCLONE_CONFIG_CEPH_TYPE="s3", RCLONE_CONFIG_CEPH_PROVIDER="Ceph", RCLONE_CONFIG_CEPH_ENDPOINT=env["AWS_ENDPOINT_URL"],
                      RCLONE_CONFIG_CEPH_ACCESS_KEY_ID=store.access, RCLONE_CONFIG_CEPH_SECRET_ACCESS_KEY=store.secret)
    os.environ.pop("AWS_CA_BUNDLE", None)
    common = {"cacert": store.ca, "aws-sigv4": "aws:amz:us-east-1:s3", "user": f"{store.access}:{store.secret}"}
    nothing = hashlib.sha256(b"").hexdigest()
    curl_config(f"{folder}/head.curl", [{**common, "header": f"x-amz-content-sha256: {nothing}", "head": "", "url": f"{base}/{n}", "output": "/dev/null"} for n in names])
    with open(f"{folder}/head.curl") as f:
        text = f.read().replace('head = ""', "head")
    with open(f"{folder}/head.curl", "w") as f:
        f.write(text)
    # each PUT has its own hash, which curl 7.88 leaves to its user
    make = f"cd {spool} && sha256sum *.cam | while read -r h n; do printf '%s\\n' next 'url = \"{base}/'$n'\"' 'upload-file = \"{spool}/'$n'\"' 'header = \"x-amz-content-sha256: '$h'\"' " + \
        " ".join(f"'{k} = \"{v}\"'" for k, v in common.items()) + f"; done | tail -n +2 > {folder}/put.curl"
    curl = f"curl -sSf --fail-early --parallel --parallel-max {JOBS} -K"
    turn = [0]

    def empty():
        """Where nothing is: removing objects would go on in the background."""
        turn[0] += 1

    def pair_at(peer, theirs):
        """A new prefix for each run."""
        ours = f"cam-ship -1 -j {JOBS} -C {store.ca} -d {spool} s3://{store.bucket}/ours$(date +%s%N)/ > {folder}/names && test $(wc -l < {folder}/names) = {COUNT}"
        pair("ship to Ceph", ours, theirs, peer, empty)

    print(f"# Ceph: {COUNT} segments of {SIZE} bytes, TLS on loopback, {JOBS} at a time, SHA-256 of each signed, HEAD after each PUT")
    pair_at("curl", f"at=$(date +%s%N); {make} && sed -i s:/plain/:/plain$at/: {folder}/put.curl && sed s:/plain/:/plain$at/: {folder}/head.curl > {folder}/look.curl && "
                    f"{curl} {folder}/put.curl > /dev/null && {curl} {folder}/look.curl")
    pair_at("rclone", f"rclone --config /dev/null --ca-cert {store.ca} --transfers {JOBS} --checkers {JOBS} copy {spool} ceph:{store.bucket}/rclone$(date +%s%N)")
    ceph.stop()


def first_name_s(folder, spool, url):
    """From the start to the first name."""
    begun = time.monotonic()
    ship = camera.start(["cam-ship", "-d", spool, "-C", f"{folder}/ca.pem", url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    ship.stdout.readline()
    took_s = time.monotonic() - begun
    ship.kill()
    ship.wait()
    return took_s


def start_up(folder):
    server = stores.Nginx(f"{folder}/start", folder)
    server.start()
    many, few = f"{folder}/many", f"{folder}/few"
    for spool, count in ((few, 100), (many, 100_000)):
        os.mkdir(spool)
        for i in range(count):
            if i % 25_000 == 0:
                with open(f"{spool}.{i}", "wb") as f:
                    f.write(os.urandom(1000))
                source = f"{spool}.{i}"
            os.link(source, f"{spool}/{name(i)}")
    rows = []
    for i in range(int(os.environ.get("RUNS", "5"))):
        begun = time.monotonic()
        subprocess.run(["ls", "-f", many], check=True, stdout=subprocess.DEVNULL)
        scan_s = time.monotonic() - begun
        rows.append((first_name_s(folder, many, server.url() + f"many{i}/"), first_name_s(folder, few, server.url() + f"few{i}/"), scan_s))
    many_s, few_s, scan_s = (statistics.median(r[i] for r in rows) for i in range(3))
    print(f"start to first name                ours {many_s:7.3f} s with 100,000 waiting, {few_s:.3f} s with 100; ls -f of the directory alone {scan_s:.3f} s")
    server.kill()


def bench(folder, pair):
    os.chmod(folder, 0o755)
    stores.make_certificates(folder)
    os.environ["CURL_CA_BUNDLE"] = f"{folder}/ca.pem"
    fill(f"{folder}/spool")
    try:
        webdav(folder, pair)
        s3(folder, pair)
        start_up(folder)
    finally:
        camera.end_all()
