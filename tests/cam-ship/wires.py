"""Two network namespaces with a wire between them, the camera's and the server's, and a name server beside the server.
They are named for the process that made them, so that what a killed test has left can be told and removed."""
import os
import shutil
import signal
import subprocess

import camera
import stores

CAMERA, SERVER, SERVER2 = "10.213.0.1", "10.213.0.2", "10.213.0.3"
PREFIX = "camwire"


def sweep():
    """Removes what tests have left that were killed."""
    for ns in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        if ns.startswith(PREFIX + "-") and not os.path.exists(f"/proc/{ns.split('-')[1]}"):
            remove(ns)


def remove(ns):
    subprocess.run(["ip", "netns", "del", ns], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(f"/etc/netns/{ns}", ignore_errors=True)


def possible():
    if os.getuid() != 0 or not all(shutil.which(p) for p in ("ip", "nft", "dnsmasq", "nginx")):
        return False
    ns = f"{PREFIX}-{os.getpid()}-probe"
    made = subprocess.run(["ip", "netns", "add", ns], check=False, stderr=subprocess.DEVNULL).returncode == 0
    good = made and subprocess.run(["ip", "netns", "exec", ns, "nft", "add table inet t; add chain inet t c; add rule inet t c numgen random mod 2 < 1 drop"],
                                   check=False, stderr=subprocess.DEVNULL).returncode == 0
    remove(ns)
    return good


class Wire:
    def __init__(self, number, folder):
        self.camera, self.server = (f"{PREFIX}-{os.getpid()}-{side}{number}" for side in "cs")
        self.folder, self.dns = folder, None
        for ns in (self.camera, self.server):
            camera.atexit.register(remove, ns)
            remove(ns)  # of one that was killed and had this pid
            stores.run("ip", "netns", "add", ns)
            self.at(ns, "ip", "link", "set", "lo", "up")
        stores.run("ip", "-n", self.camera, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", self.server)
        for ns, addresses in ((self.camera, [CAMERA]), (self.server, [SERVER, SERVER2])):
            for a in addresses:
                self.at(ns, "ip", "address", "add", f"{a}/24", "dev", "wire")
            self.at(ns, "ip", "link", "set", "wire", "up")
            self.at(ns, "nft", "add table inet faults; add chain inet faults in { type filter hook input priority 0; }")
        # ip-netns-exec(8) mounts it over /etc/resolv.conf
        os.makedirs(f"/etc/netns/{self.camera}", exist_ok=True)
        with open(f"/etc/netns/{self.camera}/resolv.conf", "w") as f:
            f.write(f"nameserver {SERVER}\n")

    @staticmethod
    def at(ns, *command):
        return stores.run("ip", "netns", "exec", ns, *command).decode()

    def rule(self, ns, text):
        """Packets that come into a namespace."""
        self.at(ns, "nft", f"add rule inet faults in {text}")

    def heal(self):
        for ns in (self.camera, self.server):
            self.at(ns, "nft", "flush chain inet faults in")

    def dropped(self):
        """Packets that met a rule with a counter at the server."""
        text = self.at(self.server, "nft", "list chain inet faults in")
        return sum(int(line.split("counter packets ")[1].split()[0]) for line in text.splitlines() if "counter packets " in line)

    def link(self, state):
        stores.run("ip", "-n", self.camera, "link", "set", "wire", state)

    def dns_start(self, address=SERVER):
        self.dns_say(address)
        self.dns = camera.start(["ip", "netns", "exec", self.server, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--group=root", "--no-resolv", "--no-hosts",
                                 f"--addn-hosts={self.folder}/hosts", "--local=/test/", "--pid-file", f"--listen-address={SERVER}", "--bind-interfaces", "--log-queries", "--log-facility=-"],
                                stderr=open(f"{self.folder}/dns.log", "ab"))

    def dns_say(self, address):
        """What the name stands for; None: there is no such name."""
        with open(f"{self.folder}/hosts", "w") as f:
            f.write(f"{address} server.test\n" if address else "")
        if self.dns:
            self.dns.send_signal(signal.SIGHUP)

    def dns_asked(self):
        return (camera.read(f"{self.folder}/dns.log") or b"").count(b"query[A] server.test")


class Far(stores.Nginx):
    """nginx at the other end of the wire."""

    def __init__(self, folder, certificates, wire):
        super().__init__(folder, certificates, ("ip", "netns", "exec", wire.server), SERVER, 443)
        self.site = SERVER

    def url(self, port=None):
        return f"https://{self.site}/cams/door/"

    def start(self):
        super().start()
        listening = f":{443:04X} 00000000:0000 0A"
        if not camera.waits(120, lambda: listening in (camera.read(f"/proc/{self.process.pid}/net/tcp") or b"").decode()):
            raise RuntimeError(f"nginx does not start: {camera.read(self.folder + '/server.log')}")
