#!/usr/bin/python3
# defends: enter.program enter.sibling
"""What the policy for a closed camera allows, asked of the compiled policy by setools, in both directions: each domain can
what its tool needs, and nothing else; secilc refuses what would widen it; every installed file has its label; and
cam-harden-check takes an image with it for what it is."""
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE = f"{TOP}/s6-rc/selinux"
O = os.environ.get("O", f"{TOP}/build")
CIL = [f"{SOURCE}/{n}.cil" for n in ("classes", "types", "camera", "promises")]

try:
    import setools
except ImportError:
    print("1..0 # SKIP setools for Python is not installed")
    sys.exit(0)
for program in ("secilc", "setfiles", "matchpathcon"):
    if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        print(f"1..0 # SKIP {program} is not installed")
        sys.exit(0)
os.environ["PATH"] += ":/usr/sbin:/sbin"

TOOLS = ("capture", "seal", "spool", "ship", "reap", "status", "log")
STARTERS = {"cam_run_t", "cam_ship_run_t", "cam_hold_t"}

# who becomes whom, by executing what
WAYS = {
    ("kernel_t", "cam_init_exec_t", "cam_init_t"),
    ("cam_init_t", "setfiles_exec_t", "cam_label_t"),
    ("cam_init_t", "cam_super_exec_t", "cam_super_t"),
    ("cam_prepare_t", "cam_key_exec_t", "cam_key_t"),
    ("cam_super_t", "cam_check_exec_t", "cam_check_t"),
    ("cam_gate_t", "cam_check_exec_t", "cam_check_t"),
    ("cam_ship_run_t", "cam_ship_exec_t", "cam_ship_t"),
} | {("cam_super_t", f"cam_{n}_exec_t", f"cam_{n}_t")
     for n in ("cells", "settings", "prepare", "gate", "run", "ship_run", "hold", "finish")
     } | {("cam_run_t", f"cam_{n}_exec_t", f"cam_{n}_t") for n in TOOLS if n != "ship"}

# of each tool's domain: what it writes, reads besides what everybody reads, and opens as a socket
EVERYBODY = {"root_t", "etc_t", "lib_t", "proc_t", "sysctl_t", "null_t"}
GIVEN = {"cam_fifo_t", "cam_super_t"}  # never opened, only used where it was given open
TABLE = {
    # domain: (files written, files read, classes of sockets besides unix)
    "cam_capture_t": ({"video_t"}, {"sysfs_t", "video_t"}, {"netlink_kobject_uevent_socket"}),
    "cam_seal_t": ({"cam_epoch_t"}, {"cam_secret_t", "cam_epoch_t", "cam_recipients_t"}, set()),
    "cam_spool_t": ({"cam_segment_t"}, {"cam_segment_t"}, set()),
    "cam_ship_t": (set(), {"cam_segment_t", "cam_conf_t", "cam_credentials_t"}, {"tcp_socket", "udp_socket", "netlink_route_socket"}),
    "cam_reap_t": (set(), set(), set()),
    "cam_status_t": (set(), {"cam_segment_t", "cam_report_t", "sysfs_t"}, set()),
    "cam_log_t": ({"cam_log_dir_t"}, {"cam_log_dir_t"}, set()),
}
# what root may, by domain; the tools nothing
CAPABILITIES = {
    "kernel_t": {"mknod", "chown", "fowner", "fsetid", "dac_override"},
    "cam_init_t": {"sys_admin"},
    "cam_super_t": {"kill"},
    "cam_cells_t": {"sys_admin", "sys_chroot"},
    "cam_settings_t": {"net_admin", "sys_admin", "sys_module", "sys_rawio", "setpcap", "sys_ptrace", "sys_resource"},
    "cam_prepare_t": {"chown", "fowner", "fsetid", "dac_override", "setuid", "setgid"},
    "cam_check_t": {"dac_read_search", "sys_ptrace", "sys_admin", "net_admin", "net_raw"},
    "cam_run_t": {"setuid", "setgid", "setpcap", "dac_override", "sys_admin", "sys_chroot", "sys_resource"},
    "cam_ship_run_t": {"setuid", "setgid", "setpcap", "dac_override", "sys_admin", "sys_chroot", "sys_resource"},
    "cam_hold_t": {"setuid", "setgid", "setpcap", "dac_override"},
    "cam_finish_t": {"dac_override"},
}

# each of these would widen a promise: secilc has to refuse it
WIDER = [
    "(allow cam_ship_t cam_secret_t (file (read)))",
    "(allow cam_super_t cam_secret_t (file (open read)))",
    "(allow cam_check_t cam_secret_t (file (read)))",
    "(allow cam_seal_t cam_secret_t (file (write)))",
    "(allow cam_ship_t cam_segment_t (file (write)))",
    "(allow cam_ship_t cam_spool_dir_t (dir (write)))",
    "(allow cam_reap_t cam_segment_t (file (open read)))",
    "(allow cam_reap_t cam_segment_t (file (unlink)))",
    "(allow cam_status_t cam_segment_t (file (rename)))",
    "(allow cam_seal_t self (tcp_socket (connect)))",
    "(allow cam_seal_t self (udp_socket (create)))",
    "(allow cam_check_t self (tcp_socket (connect)))",
    "(allow cam_ship_t self (tcp_socket (listen)))",
    "(allow cam_ship_t port_t (tcp_socket (name_bind)))",
    "(allow cam_ship_t self (packet_socket (create)))",
    "(allow cam_super_t self (capability2 (mac_admin)))",
    "(allow cam_super_t securityfs_t (file (open write)))",
    "(allow cam_init_t security_t (security (load_policy)))",
    "(allow kernel_t security_t (security (setenforce)))",
    "(allow cam_super_t fs_t (filesystem (mount)))",
    "(allow cam_run_t tmpfs_t (dir (mounton)))",
    "(allow cam_super_t self (capability (sys_admin)))",
    "(allow cam_super_t self (capability (sys_ptrace)))",
    "(allow cam_seal_t self (capability (ipc_lock)))",
    "(allow cam_super_t disk_t (blk_file (read)))",
    "(allow cam_super_t sysctl_t (file (write)))",
    "(allow cam_super_t cam_seal_t (process (ptrace)))",
    "(allow cam_capture_t self (process (execmem)))",
    "(allow cam_run_t self (process (setexec)))",
    "(allow cam_run_t cam_seal_t (process (dyntransition)))",
    "(allow cam_spool_t cam_segment_t (file (execute)))",
    "(allow cam_super_t tmpfs_t (file (execute)))",
    "(allow cam_super_t bin_t (file (entrypoint)))",
    "(allow cam_seal_t bin_t (file (execute)))",
    "(allow cam_seal_t lib_t (file (execmod)))",
    "(allow cam_prepare_t bin_t (file (relabelto)))",
    "(allow cam_super_t root_t (file (write)))",
    "(allow bin_t fs_t (filesystem (associate)))",
    "(allow cam_super_t cam_seal_t (process (transition)))",
    "(allow cam_run_t cam_ship_t (process (transition)))",
    "(allow cam_super_t cam_init_t (process (transition)))",
    "(allow cam_seal_t video_t (chr_file (open read)))",
    "(allow cam_log_t cam_credentials_t (file (read)))",
    "(allow cam_super_t kernel_t (system (module_load)))",
    "(allow cam_super_t self (bpf (prog_load)))",
    "(allow cam_super_t self (user_namespace (create)))",
]

# what is installed, and a device besides, and what it is labelled
LABELS = {
    "/": "root_t", "/etc/passwd": "etc_t", "/etc/cam/door/env/CAM_SHIP_URL": "cam_conf_t",
    "/etc/cam/door/recipients": "cam_recipients_t", "/etc/cam/door/ship/secret": "cam_credentials_t",
    "/etc/selinux/camera/policy/policy.33": "cam_policy_t",
    "/bin/dash": "bin_t", "/usr/bin/s6-supervise": "bin_t", "/usr/sbin/nft": "nft_exec_t", "/usr/bin/s6-log": "cam_log_exec_t",
    "/usr/lib/execline/bin/exec": "bin_t", "/sbin/restorecon": "setfiles_exec_t", "/usr/sbin/setfiles": "setfiles_exec_t",
    "/lib/aarch64-linux-gnu/libc.so.6": "lib_t", "/lib/ld-linux-aarch64.so.1": "lib_t", "/lib64/ld-linux-x86-64.so.2": "lib_t",
    "/usr/lib/aarch64-linux-gnu/libcamera/ipa_rpi_vc4.so": "lib_t", "/usr/local/lib/cam/image/compiled/db": "root_t",
    # as s6-rc 0.5 compiles them: of what is in a pipe, run fetches the ends of it and becomes run.user
    "/usr/local/lib/cam/image/run/run.cam-capture@door": "bin_t", "/usr/lib/cam/image/run/finish.cam-ship@door": "bin_t",
    "/usr/lib/cam/image/run/run.s6rc-fdholder": "bin_t", "/usr/lib/cam/image/run/run.s6rc-oneshot-runner": "bin_t",
    "/usr/libexec/s6-rc-oneshot-run": "bin_t",
    "/usr/local/lib/cam/image/run/run.user.cam-capture@door": "cam_run_exec_t",
    "/usr/local/lib/cam/image/run/run.user.cam-ship@door": "cam_ship_run_exec_t",
    "/usr/lib/cam/image/run/run.user.cam-status-ship@ship": "cam_ship_run_exec_t",
    "/usr/lib/cam/image/run/run.user.cam-status-reap@ship": "cam_run_exec_t",
    "/usr/lib/cam/image/run/run.cam-log@door": "cam_run_exec_t", "/usr/lib/cam/image/run/run.cam-log-hold@door": "cam_hold_exec_t",
    "/usr/lib/cam/image/run/finish.user.cam-ship@door": "cam_finish_exec_t",
    "/usr/lib/cam/image/run/finish.cam-log@door": "cam_finish_exec_t",
    "/var/lib/cam/door/sign.key": "cam_secret_t", "/var/lib/cam/door/sign.pub": "cam_public_t",
    "/var/lib/cam/door/video.epoch": "cam_epoch_t", "/var/log/cam/door/current": "cam_log_dir_t",
    "/var/spool/cam/door/0000000001-0000000000-20261126T093805Z-a475d68517c2e536.cam": "cam_segment_t",
}
INSTALLED = {f"/usr/local/bin/cam-{n}": f"cam_{n}_exec_t" for n in ("capture", "seal", "spool", "ship", "reap", "status", "key")} | {
    "/usr/local/bin/cam-harden-check": "cam_check_exec_t",
    "/usr/local/bin/cam-open": "bin_t", "/usr/local/bin/cam-mux": "bin_t",
    "/usr/local/lib/cam/cam-services": "cam_super_exec_t", "/usr/local/lib/cam/cells": "cam_cells_exec_t",
    "/usr/local/lib/cam/kernel": "cam_settings_exec_t", "/usr/local/lib/cam/prepare": "cam_prepare_exec_t",
    "/usr/local/lib/cam/gate": "cam_gate_exec_t", "/usr/local/lib/cam/boot": "cam_init_exec_t",
}
DEVICES = {"/dev/null": "null_t", "/dev/urandom": "null_t", "/dev/console": "console_t", "/dev/ttyAMA0": "console_t",
           "/dev/video0": "video_t", "/dev/media1": "video_t", "/dev/dma_heap/system": "video_t", "/dev/watchdog0": "watchdog_t",
           "/dev/mapper/control": "mapper_t", "/dev/tpmrm0": "tpm_t", "/dev/kmsg": "device_t"}
DISKS = {"/dev/mmcblk0p2": "disk_t", "/dev/dm-0": "disk_t", "/dev/vda": "disk_t"}

count = 0


def ok(good, name, *why):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        for w in why:
            print("# " + str(w)[:2000].replace("\n", "\n# "))
    sys.stdout.flush()
    return good


def same(got, wanted, name):
    got, wanted = set(got), set(wanted)
    ok(got == wanted, name, f"more: {sorted(got - wanted)}", f"less: {sorted(wanted - got)}")


def sh(*args, **more):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)


class Policy:
    """Who (domain) may do what to what: rules, with attributes spelt out."""

    def __init__(self, path):
        self.policy = setools.SELinuxPolicy(path)
        self.may = collections.defaultdict(set)
        self.ways = set()
        self.domains = {str(t) for t in self.policy.lookup_typeattr("domain").expand()}
        self.types = {str(t) for t in self.policy.types()}
        for r in self.policy.terules():
            kind = str(r.ruletype)
            if kind == "type_transition" and str(r.tclass) == "process":
                self.ways.add((str(r.source), str(r.target), str(r.default)))
            if kind != "allow":
                continue
            for s in r.source.expand():
                for t in [s] if str(r.target) == "self" else r.target.expand():
                    self.may[(str(s), str(t), str(r.tclass))] |= {str(p) for p in r.perms}

    def who(self, what, classes=None, target=None):
        """{(domain, type)} with one of these permissions."""
        what = set(what.split())
        return {(s, t) for (s, t, c), p in self.may.items()
                if p & what and (not classes or c in classes.split()) and (not target or t == target)}

    def can(self, domain, target, cls, what):
        return set(what.split()) <= self.may[(domain, target, cls)]


FILES = "file chr_file blk_file"


def domains_ask(p):
    same(p.ways, WAYS, "each domain has its ways in")
    late = {(str(r.filename), str(r.default)) for r in p.policy.terules() if str(r.ruletype) == "type_transition" and str(r.source) == "kernel_t"
            and str(r.tclass) == "chr_file"}
    ok({("video0", "video_t"), ("media3", "video_t"), ("v4l-subdev0", "video_t"), ("video31", "video_t")} <= late, "cameras that come late have their label",
       late)
    same(p.who("transition", "process"), {(a, b) for a, _, b in WAYS}, "and no other")
    same(p.who("entrypoint"), {(b, x) for _, x, b in WAYS}, "each begins with its own file")
    same({d for d in p.domains} - {b for _, _, b in WAYS}, {"kernel_t"}, "none cannot be reached")
    ok(str(p.policy.handle_unknown) == "deny", "what the kernel knows and the policy does not is refused")
    same([str(t) for t in p.policy.types() if t.ispermissive], [], "no domain is permissive")
    same([str(b) for b in p.policy.bools()], [], "nothing can be switched")


def code_ask(p):
    same(p.who("execmem execstack execheap execmod ptrace setexec setcurrent dyntransition noatsecure"), [], "no memory becomes code, nobody looks into others")
    run = {t for _, t in p.who("execute execute_no_trans")}
    verified = {str(t) for t in p.policy.lookup_typeattr("verified").expand()}
    ok(run <= verified, "only what the verified root alone has is executed", run - verified)
    same(p.who("write append create unlink rename link setattr relabelfrom relabelto add_name remove_name") & {(d, t) for d in p.domains for t in verified},
         [], "and nobody changes it")
    places = {t for s, t in p.who("associate", "filesystem") if s in verified}
    same(places, {"root_fs_t"}, "nor makes such a file elsewhere")
    for n in TOOLS:
        same({t for s, t in p.who("execute", "file") if s == f"cam_{n}_t"}, {f"cam_{n}_exec_t", "lib_t"}, f"{n} executes itself and libraries")
        same({t for s, t in p.who("execute_no_trans") if s == f"cam_{n}_t"}, [], f"{n} runs no program")


def tools_ask(p):
    opened = "write append create unlink rename setattr"
    for domain, (written, read, sockets) in TABLE.items():
        mine = {"cam_memory_t"} if domain == "cam_capture_t" else set()
        does = {t for s, t in p.who("open", FILES) if s == domain}
        writes = {t for s, t in p.who(opened, FILES) if s == domain}
        same(writes & does - {"null_t", domain}, written, f"{domain} writes")
        same({t for s, t in p.who("read", FILES) if s == domain} & does - EVERYBODY - {domain, f"{domain[:-2]}_exec_t"}, read, f"{domain} reads")
        same(writes - does - GIVEN - mine - ({"dmabuf_t"} if mine else set()), {"cam_segment_t"} if domain == "cam_reap_t" else [], f"{domain} does nothing to what it cannot open")
        same({c for (s, _, c), v in p.may.items() if s == domain and "create" in v and c.endswith("socket")} - {"unix_stream_socket", "unix_dgram_socket"},
             sockets, f"{domain} makes sockets")
    made = collections.defaultdict(set)
    for (s, t, c), v in p.may.items():
        if c == "dir" and v & {"add_name", "remove_name", "write"}:
            made[s].add(t)
    same({(d, t) for d in TABLE for t in made[d]}, {("cam_seal_t", "cam_keys_t"), ("cam_spool_t", "cam_spool_dir_t"), ("cam_reap_t", "cam_spool_dir_t"),
         ("cam_log_t", "cam_log_dir_t")}, "in these folders tools make or rename files")
    same({d for d, t in p.who("read map", "file", "cam_secret_t")}, {"cam_seal_t"}, "cam-seal alone reads the key")
    same({d for d, t in p.who("write create append", "file", "cam_secret_t")}, {"cam_key_t"}, "cam-key alone makes it")
    same({d for d, t in p.who("read open", "file", "cam_credentials_t")}, {"cam_ship_t", "cam_ship_run_t", "cam_check_t"}, "credentials are cam-ship's")
    ok(p.can("cam_reap_t", "cam_segment_t", "file", "rename") and not p.may[("cam_reap_t", "cam_segment_t", "file")] & {"read", "open", "write", "unlink"},
       "cam-reap renames, and reads nothing")
    same({d for d, t in p.who("unlink", "file", "cam_segment_t")}, {"cam_spool_t"}, "cam-spool alone removes footage")


def root_ask(p):
    caps = {d: p.may[(d, d, "capability")] for d in p.domains if p.may[(d, d, "capability")]}
    for d in sorted(caps.keys() | CAPABILITIES.keys()):
        same(caps.get(d, ()), CAPABILITIES.get(d, ()), f"of root's power {d} has its own")
    same([s for (s, t, c), v in p.may.items() if c == "capability2" and v], [], "nobody has of the newer ones, mac_admin among them")
    same(p.who("load_policy setenforce setbool setsecparam setcheckreqprot"), [], "nobody loads a policy or stops enforcing")
    same(p.who("read_policy check_context"), {("cam_check_t", "security_t"), ("cam_label_t", "security_t")}, "the audit reads it, labels are checked")
    same({d for d, t in p.who("write append", FILES, "securityfs_t")}, [], "nobody switches IPE or lockdown")
    same({d for d, t in p.who("write append", FILES, "sysctl_t")}, {"cam_settings_t"}, "sysctls are set by one")
    same({d for d, t in p.who("mount remount unmount mounton")}, {"cam_init_t", "cam_cells_t"}, "two mount, neither for ever")
    same({d for d, t in p.who("relabelto relabelfrom")}, {"cam_label_t", "cam_prepare_t"}, "two label")
    same(p.who("open read write", "blk_file"), [], "no disk is read or written past its filesystem")
    same(p.who("module_load module_request prog_load map_create sqpoll override_creds mmap_zero") | p.who("create", "user_namespace") | p.who("open", "perf_event"),
         [], "no modules, BPF, user namespaces, perf, rings")
    internet = "tcp_socket udp_socket rawip_socket packet_socket icmp_socket sctp_socket dccp_socket"
    same({d for d, t in p.who("connect bind listen accept read write sendto name_connect name_bind node_bind", internet)}, {"cam_ship_t"}, "one uses the network")
    same(p.who("listen accept name_bind node_bind", internet), [], "and nobody calls it")
    same({d for d, t in p.who("create", internet)}, {"cam_ship_t", "cam_check_t"}, "the audit makes sockets, to see which there are")
    same({d for d, _ in p.who("fork") if d in TABLE}, {"cam_capture_t", "cam_spool_t", "cam_ship_t"}, "of the tools those fork that have threads or a dialer")
    same({d for d, _ in p.who("create", "unix_stream_socket unix_dgram_socket") if d in TABLE}, {"cam_ship_t"}, "and one has sockets of its own")
    same({d for d, t in p.who("open", "chr_file", "video_t")}, {"cam_capture_t"}, "the camera is cam-capture's")


def widened(folder):
    with open(f"{folder}/more.cil", "w", encoding="utf-8") as f:
        f.write("(allow cam_finish_t cam_conf_t (dir (getattr search)))\n")
    r = sh("secilc", "-o", "/dev/null", "-f", "/dev/null", *CIL, f"{folder}/more.cil")
    ok(r.returncode == 0, "a rule of one's own is taken", r.stdout)
    for rule in WIDER:
        with open(f"{folder}/wider.cil", "w", encoding="utf-8") as f:
            f.write(rule + "\n")
        r = sh("secilc", "-o", "/dev/null", "-f", "/dev/null", *CIL, f"{folder}/wider.cil")
        ok(r.returncode != 0 and "neverallow check failed at" in r.stdout and "promises.cil" in r.stdout, f"refused: {rule}", r.stdout)


def labels_of(contexts, paths, kind):
    """{path: type}, as the list of labels says."""
    mode = {"-d": "dir", "--": "file", "-c": "char", "-b": "block", "-l": "symlink"}[kind]
    out = sh("matchpathcon", "-f", contexts, "-m", mode, *paths).stdout
    return {line.split("\t")[0]: line.split("\t")[1].split(":")[2] if ":" in line else line for line in out.splitlines() if "\t" in line}


def files_ask(p, root):
    contexts = f"{SOURCE}/file_contexts"
    r = sh("setfiles", "-c", f"{root}/etc/selinux/camera/policy/policy.33", contexts)
    ok(r.returncode == 0, "each label is one of the policy's", r.stdout)
    got = labels_of(contexts, list(LABELS), "--")
    same(got.items(), LABELS.items(), "files of a device have their labels")
    same(labels_of(contexts, list(DEVICES), "-c").items(), DEVICES.items(), "and devices")
    same(labels_of(contexts, list(DISKS), "-b").items(), DISKS.items(), "and disks")
    files = [f"{d[len(root):]}/{n}" for d, _, names in os.walk(root) for n in names if not os.path.islink(f"{d}/{n}")]
    got = labels_of(contexts, files, "--")
    same([f for f in files if f not in got or got[f] not in p.types], [], f"{len(files)} installed files have one")
    programs = {f for f in files if os.access(root + f, os.X_OK)}
    # the one that is executed before there is a policy has no domain
    same({(f, got[f]) for f in programs}, (INSTALLED | {"/usr/local/lib/cam/load-policy": "root_t"}).items(), "programs that of their domain")
    same({got[f] for f in files if f not in programs}, {"root_t", "cam_conf_t", "cam_policy_t"}, "what is none has none of a program's")


def audit_ask(root):
    r = subprocess.run(["cam-harden-check", "-r", root, "-o", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                       check=False)
    found = {f["id"]: f for f in json.loads(r.stdout)["findings"]}
    for rule in ("image.selinux-mode", "image.selinux-policy", "image.selinux-permissive", "image.file-contexts"):
        ok(found[rule]["verdict"] == "PASS", f"cam-harden-check: {rule} passes", found[rule])


def main():
    folder = tempfile.mkdtemp()
    try:
        root = f"{folder}/root"
        os.mkdir(root)
        make = ["make", "-s", "-C", TOP, f"O={O}", f"DESTDIR={root}"]
        r = sh(*make, "install", "install-selinux")
        if not ok(r.returncode == 0, "it is compiled and installed", r.stdout):
            print(f"1..{count}")
            return
        r = sh("make", "-s", "-C", TOP, f"O={O}", "install-selinux")
        ok(r.returncode != 0 and "DESTDIR" in r.stdout, "but not into a system that runs", r.stdout)
        p = Policy(f"{root}/etc/selinux/camera/policy/policy.33")
        ok(p.policy.version == 33, "version 33, as its name says", p.policy.version)
        domains_ask(p)
        code_ask(p)
        tools_ask(p)
        root_ask(p)
        widened(folder)
        files_ask(p, root)
        audit_ask(root)
        print(f"1..{count}")
    finally:
        shutil.rmtree(folder)


main()
