"""Builds the peers, and says which versions they are."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import peer
import relays

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
JUDGES = ROOT / "target" / "judges"
BUILT = JUDGES / "peers-build" / "debug"
TOOLS = JUDGES / "tools"
BACKEND_VERSION = "0.1.0"
BUILD_PATIENCE = 1800.0

# What they link to, and which Debian package brings it.
NEEDED = {"openssl": "libssl-dev", "libudev": "libudev-dev"}


def missing() -> list[str]:
    """Debian packages without which the peers cannot be built."""
    if not shutil.which("pkg-config"):
        return ["pkg-config", *NEEDED.values()]
    return [
        package
        for library, package in NEEDED.items()
        if subprocess.run(["pkg-config", "--exists", library], check=False, timeout=20).returncode != 0
    ]


def build():
    """Builds this workspace and kanidm's relay, each with its own lock file."""
    if packages := missing():
        raise peer.Broken(f"missing; on Debian: apt-get install {' '.join(packages)}")
    cargo("build", "--locked", "--manifest-path", str(HERE / "Cargo.toml"),
          "--target-dir", str(JUDGES / "peers-build"))  # fmt: skip
    # Installed already in this version, it is not built again.
    cargo("install", peer.RELAY, "--version", f"={BACKEND_VERSION}", "--locked", "--debug",
          "--config", "profile.dev.debug=false", "--root", str(TOOLS),
          "--target-dir", str(JUDGES / "relay-build"))  # fmt: skip


def cargo(*arguments: str):
    done = subprocess.run(
        ["cargo", *arguments], check=False, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=BUILD_PATIENCE,
    )  # fmt: skip
    if done.returncode != 0:
        raise peer.Broken(f"cargo {arguments[0]} failed:\n{done.stderr[-4000:]}")


def versions() -> list[dict]:
    """Each program that takes part: its name in the table, what it is, and its version."""
    ours = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    locked = {
        package["name"]: package["version"]
        for package in tomllib.loads((HERE / "Cargo.lock").read_text())["package"]
    }
    kanidm, libwebauthn = locked["webauthn-authenticator-rs"], locked["libwebauthn"]
    return [
        {"name": "cablecar", "what": "our computer", "version": ours},
        {"name": "cablecar-phone", "what": "our phone", "version": ours},
        {"name": relays.OURS, "what": "our relay", "version": ours},
        {"name": "kanidm", "what": "webauthn-authenticator-rs, computer and phone", "version": kanidm},
        {"name": "libwebauthn", "what": "libwebauthn, computer", "version": libwebauthn},
        {"name": relays.KANIDM, "what": f"{peer.RELAY}, which does its own TLS 1.2",
         "version": BACKEND_VERSION},
        {"name": relays.BEHIND, "what": f"{peer.RELAY}, with HAProxy for TLS 1.2 and 1.3",
         "version": BACKEND_VERSION},
    ]  # fmt: skip
