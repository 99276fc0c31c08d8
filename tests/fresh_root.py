"""A Debian 12 on which almost nothing is installed, in a directory: for tests of what a fresh machine makes of Kehu. Needs
root, debootstrap, and this machine's way to Debian's packages."""
import os
import pathlib
import re
import shutil
import subprocess

import kehu_server

# The mounts belong to this namespace and go with it.
ENTER = """
mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys" || exit 1
root=$1; shift
exec chroot "$root" "$@"
"""
# What of this machine's way out is in files: proxies and whom it trusts.
WAY_OUT = ("etc/apt/apt.conf.d", "etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt",
           "usr/local/share/ca-certificates")


def sources():
    """Where this machine has its Debian packages from, as lines of sources.list; what others offer is none of a fresh one's."""
    form = "$(ORIGIN)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    places = subprocess.run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], capture_output=True, text=True)
    return re.findall(r"^Debian\|(deb \S+ bookworm\S* \S+)$", places.stdout, re.M)


def make(case, *packages):
    """The root's path; it goes away with the case, which is skipped, loudly, where no root can be made."""
    if not kehu_server.LONG:
        kehu_server.skip(case, "a fresh machine: only in `make test-long`")
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        kehu_server.skip(case, "a fresh machine: needs root and debootstrap (apt-get install debootstrap)")
    root = kehu_server.scratch(case) / "root"
    lines = sources()
    mirrors = [line.split()[1] for line in lines if line.endswith(" bookworm main")]
    made = subprocess.run(["debootstrap", "--variant=minbase", *([f"--include={','.join(packages)}"] if packages else []),
                           "bookworm", root, *mirrors[:1]], capture_output=True, text=True)
    case.assertEqual(made.returncode, 0, made.stdout[-2000:] + made.stderr[-2000:])
    if lines:
        (root / "etc/apt/sources.list").write_text("\n".join(lines) + "\n")
    # What a power cut would leave of this root is of no interest.
    (root / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
    for name in WAY_OUT:
        source, target = pathlib.Path("/", name), root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        elif source.exists():
            shutil.copyfile(source, target)
    return root


def environment(**more):
    """What a command inside is started with: nothing of this process but its way out."""
    known = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", **more}
    for key, value in os.environ.items():
        if re.fullmatch(r"(https?|no|ftp|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)", key, re.I):
            known[key] = value
    return known


def inside(root, *command):
    """The command line that runs `command` in the root; what it starts ends with it."""
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", root, *map(str, command)]
