"""A real Kubernetes on loopback for the end-to-end tests: etcd, kube-apiserver (TLS, RBAC), kube-controller-manager, KWOK, and, on
request, a real node (kubelet, containerd, runc). Everything lives in one folder and ends with its object.

    python3 tests/e2e/control_plane.py FOLDER [--node]     keeps one up until Ctrl-C, and prints its kubeconfig
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def die_with_parent():
    """For a child before its exec: SIGKILL when the parent is gone (PR_SET_PDEATHSIG), so that a killed test leaves nothing behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def openssl(*arguments, text=None):
    subprocess.run(["openssl", *map(str, arguments)], input=text, check=True, capture_output=True, text=True)


def wait_for(condition, what, seconds=60):
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise RuntimeError("%s took longer than %d s" % (what, seconds))
        time.sleep(0.05)


def free_ports(count, first=17443):
    """The first of `count` neighbouring ports on 127.0.0.1 that nobody listens on."""
    for base in range(first, 60000, count):
        try:
            for port in range(base, base + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    raise RuntimeError("no free ports on 127.0.0.1")


class ControlPlane:
    """programs: the folder that programs.sh printed; folder: where all of it lives. One that is up already is opened by its folder: its port
    stands there. It and its node take the next few ports, too."""

    def __init__(self, programs, folder):
        self.programs, self.folder = pathlib.Path(programs), pathlib.Path(folder)
        self.pki = self.folder / "pki"
        self.pki.mkdir(parents=True, exist_ok=True)
        port = self.folder / "port"
        if not port.exists():
            port.write_text(str(free_ports(6)))
        self.port = int(port.read_text())
        self.kubeconfig = self.folder / "kubeconfig"
        self.running = {}

    # ---- certificates and kubeconfigs ----

    def certificate(self, name, subject, extension):
        key, request, signed, options = (self.pki / (name + suffix) for suffix in (".key", ".csr", ".crt", ".ext"))
        options.write_text(extension + "\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", subject)
        openssl("x509", "-req", "-in", request, "-CA", self.pki / "ca.crt", "-CAkey", self.pki / "ca.key", "-CAcreateserial",
                "-days", "7", "-out", signed, "-extfile", options)

    def write_kubeconfig(self, path, credentials):
        path.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: e2e\n"
            "clusters: [{name: e2e, cluster: {server: \"https://127.0.0.1:%d\", certificate-authority: %s/ca.crt}}]\n"
            "users: [{name: e2e, user: {%s}}]\n"
            "contexts: [{name: e2e, context: {cluster: e2e, user: e2e}}]\n" % (self.port, self.pki, credentials))
        path.chmod(0o600)
        return path

    def user(self, name, group="people"):
        """A person with a client certificate and no rights of their own: the path of a kubeconfig."""
        self.certificate(name, "/O=%s/CN=%s" % (group, name), "extendedKeyUsage=clientAuth")
        return self.write_kubeconfig(self.folder / (name + ".kubeconfig"),
                                     "client-certificate: %s/%s.crt, client-key: %s/%s.key" % (self.pki, name, self.pki, name))

    def service_account(self, namespace, name):
        """A kubeconfig with a token of a service account."""
        token = self.kubectl("-n", namespace, "create", "token", name, "--duration", "8h").strip()
        return self.write_kubeconfig(self.folder / ("%s.%s.kubeconfig" % (namespace, name)), "token: " + token)

    # ---- programs ----

    def start(self, name, *arguments):
        log = open(self.folder / (name + ".log"), "ab")
        command = [str(self.programs / name) if (self.programs / name).exists() else name, *map(str, arguments)]
        self.running[name] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                              start_new_session=True, preexec_fn=die_with_parent)
        log.close()

    def stop(self, name):
        process = self.running.pop(name, None)
        if not process:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def api_ready(self):
        for name, process in self.running.items():
            if process.poll() is not None:
                raise RuntimeError("%s ended: %s" % (name, (self.folder / (name + ".log")).read_text()[-2000:]))
        context = ssl.create_default_context(cafile=self.pki / "ca.crt")
        context.load_cert_chain(self.pki / "admin.crt", self.pki / "admin.key")
        try:
            with urllib.request.urlopen("https://127.0.0.1:%d/readyz" % self.port, context=context, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def start_api_server(self):
        self.start(
            "kube-apiserver", "--etcd-servers", self.etcd, "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1",
            "--secure-port", self.port, "--service-cluster-ip-range", "10.96.0.0/16", "--endpoint-reconciler-type", "none",
            "--tls-cert-file", self.pki / "apiserver.crt", "--tls-private-key-file", self.pki / "apiserver.key",
            "--client-ca-file", self.pki / "ca.crt", "--authorization-mode", "Node,RBAC",
            "--kubelet-client-certificate", self.pki / "kubelet-client.crt", "--kubelet-client-key", self.pki / "kubelet-client.key",
            "--kubelet-preferred-address-types", "Hostname,InternalIP",
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", self.pki / "sa.pub",
            "--service-account-signing-key-file", self.pki / "sa.key")
        wait_for(self.api_ready, "kube-apiserver")

    def up(self):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.pki / "ca.key",
                "-out", self.pki / "ca.crt", "-days", "7", "-subj", "/CN=e2e-ca")
        self.certificate("apiserver", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes.default.svc")
        self.certificate("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "extendedKeyUsage=clientAuth")
        self.user("admin", "system:masters").rename(self.kubeconfig)
        openssl("genrsa", "-out", self.pki / "sa.key", "2048")
        openssl("rsa", "-in", self.pki / "sa.key", "-pubout", "-out", self.pki / "sa.pub")
        self.etcd = "http://127.0.0.1:%d" % (self.port + 1)
        peer = "http://127.0.0.1:%d" % (self.port + 2)
        self.start("etcd", "--data-dir", self.folder / "etcd", "--listen-client-urls", self.etcd, "--advertise-client-urls", self.etcd,
                   "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer,
                   "--unsafe-no-fsync", "--log-level", "error")
        self.start_api_server()
        self.start("kube-controller-manager", "--kubeconfig", self.kubeconfig, "--use-service-account-credentials",
                   "--service-account-private-key-file", self.pki / "sa.key", "--root-ca-file", self.pki / "ca.crt",
                   "--cluster-signing-cert-file", self.pki / "ca.crt", "--cluster-signing-key-file", self.pki / "ca.key",
                   "--bind-address", "127.0.0.1", "--secure-port", self.port + 3, "--leader-elect=false",
                   "--kube-api-qps", "500", "--kube-api-burst", "1000", "--concurrent-job-syncs", "20")
        self.start("kwok", "--kubeconfig", self.kubeconfig, "--config", HERE / "kwok_stages.yaml", "--manage-all-nodes=false",
                   "--manage-nodes-with-annotation-selector", "kwok.x-k8s.io/node=fake", "--node-ip", "127.0.0.1",
                   "--server-address", "127.0.0.1:%d" % (self.port + 4), "--node-port", self.port + 4, "--node-lease-duration-seconds", "40")
        wait_for(lambda: self.kubectl("-n", "default", "get", "serviceaccount", "default", check=False), "the controllers' first work")

    def kubectl(self, *arguments, check=True):
        done = subprocess.run([str(self.programs / "kubectl"), "--kubeconfig", str(self.kubeconfig), *map(str, arguments)],
                              capture_output=True, text=True)
        if check and done.returncode != 0:
            raise RuntimeError("kubectl %s: %s" % (" ".join(map(str, arguments)), done.stderr))
        return done.stdout if done.returncode == 0 else ""

    def down(self):
        for name in reversed(list(self.running)):
            self.stop(name)

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()


class Node:
    """A real node of a ControlPlane: containerd and kubelet, root, cgroup v1 or v2. It is named localhost, because the API server prefers
    a node's host name, so that nothing leaves loopback. It says that it has `gpus` nvidia.com/gpu, which no container is given."""

    name = "localhost"

    def __init__(self, plane, gpus=8):
        self.plane, self.gpus = plane, gpus
        self.folder = plane.folder / "node"
        self.socket = self.folder / "containerd.sock"
        self.bridge = "e2e%d" % plane.port

    def write_configuration(self):
        for part in ("cni", "kubelet"):
            (self.folder / part).mkdir(parents=True)
        (self.folder / "cni" / "10-bridge.conflist").write_text(
            '{"cniVersion": "0.4.0", "name": "e2e", "plugins": [{"type": "bridge", "bridge": "%s", "isGateway": true, "ipMasq": false,'
            ' "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "%s"}}]}'
            % (self.bridge, self.folder / "cni" / "leases"))
        (self.folder / "containerd.toml").write_text("""version = 2
root = "%(folder)s/root"
state = "%(folder)s/run"
[grpc]
address = "%(folder)s/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/local/pause:1"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "%(folder)s/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
""" % {"folder": self.folder})
        (self.folder / "kubelet.yaml").write_text("""apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: %d
readOnlyPort: 0
healthzPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %s/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /%s
failSwapOn: false
failCgroupV1: false
containerRuntimeEndpoint: unix://%s
evictionHard: {memory.available: 50Mi}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
enableControllerAttachDetach: false
podLogsDir: %s/kubelet/logs
""" % (self.plane.port + 5, self.plane.pki, self.bridge, self.socket, self.folder))

    @property
    def control_groups(self):
        """The node's own root in each hierarchy (one with cgroup v2): a kubelet ends every process below its root that it does not know."""
        mounted = pathlib.Path("/sys/fs/cgroup")
        hierarchies = [mounted] if (mounted / "cgroup.controllers").exists() else [path for path in mounted.iterdir() if path.is_dir() and not path.is_symlink()]
        return [hierarchy / self.bridge for hierarchy in hierarchies]

    def ctr(self, *arguments, check=True, **options):
        return subprocess.run(["ctr", "-a", str(self.socket), *map(str, arguments)], check=check, capture_output=True, **options)

    def import_image(self, archive):
        self.ctr("-n", "k8s.io", "images", "import", archive)

    def busybox_image(self, name, command):
        """An image of one layer out of Debian's busybox-static."""
        work = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        applets = subprocess.run(["/bin/busybox", "--list"], check=True, capture_output=True, text=True).stdout.split()
        for part in ("bin", "tmp", "etc"):
            (work / "root" / part).mkdir(parents=True)
        shutil.copy("/bin/busybox", work / "root/bin/busybox")
        for applet in applets:
            if applet != "busybox":
                (work / "root/bin" / applet).symlink_to("busybox")
        (work / "root/etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
        subprocess.run([HERE.parent.parent / "tools" / "image", "--root", work / "root", "--name", "docker.io/" + name,
                        "--command", command, "--output", work / "image.tar"], check=True)
        self.import_image(work / "image.tar")
        shutil.rmtree(work)

    def up(self):
        self.write_configuration()
        for group in self.control_groups:
            group.mkdir(exist_ok=True)
        self.plane.start("containerd", "--config", self.folder / "containerd.toml")
        wait_for(lambda: self.ctr("version", check=False).returncode == 0, "containerd")
        self.busybox_image("local/pause:1", "/bin/sleep 2147483647")
        self.busybox_image("local/busybox:1", "/bin/sh")
        kubeconfig = self.plane.user("system:node:" + self.name, "system:nodes")
        self.plane.start("kubelet", "--config", self.folder / "kubelet.yaml", "--kubeconfig", kubeconfig,
                         "--root-dir", self.folder / "kubelet", "--cert-dir", self.folder / "kubelet/pki", "--hostname-override", self.name)
        ready = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}"
        wait_for(lambda: self.plane.kubectl("get", "node", self.name, "-o", ready, check=False) == "True", "the node")
        count = '{"nvidia.com/gpu": "%d"}' % self.gpus
        self.plane.kubectl("patch", "node", self.name, "--subresource=status", "--type=merge",
                           "-p", '{"status": {"capacity": %s, "allocatable": %s}}' % (count, count))

    def down(self):
        self.plane.stop("kubelet")
        for task in self.ctr("-n", "k8s.io", "tasks", "ls", "-q", check=False, text=True).stdout.split():
            self.ctr("-n", "k8s.io", "tasks", "kill", "-s", "KILL", task, check=False)
        self.plane.stop("containerd")
        mounts = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((m for m in mounts if m.startswith(str(self.folder) + "/")), reverse=True):
            subprocess.run(["umount", "-l", mount], check=False)
        subprocess.run(["ip", "link", "del", self.bridge], check=False, capture_output=True)
        for group in self.control_groups:
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    programs = subprocess.run([HERE / "programs.sh"], check=True, capture_output=True, text=True).stdout.strip()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ControlPlane(programs, folder) as plane:
        print(plane.kubeconfig, flush=True)
        if "--node" in sys.argv[2:]:
            with Node(plane):
                print("node %s is ready" % Node.name, flush=True)
                signal.pause()
        signal.pause()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
