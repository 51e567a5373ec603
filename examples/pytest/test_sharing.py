"""A host for a test of a tool that is no JavaScript: brought up and driven by the command line.

ADJUNCT names the program where `adjunct` is not on PATH.
"""

import os
import subprocess
import uuid

import pytest

ADJUNCT = os.environ.get("ADJUNCT", "adjunct")
MATRIX = "/sys/devices/vfio_ap/matrix"
MDEV = "11111111-1111-4111-8111-111111111111"

CONFIGURATION = """
name: {name}
machine: {{ model: z16, adapters: {{ 5: {{ type: CEX8C }} }}, usage-domains: [4, 5] }}
apmask: "-5"
mdevs: {{ 22222222-2222-4222-8222-222222222222: {{ adapters: [5], domains: [4] }} }}
"""


def adjunct(*words):
    return subprocess.run([ADJUNCT, *words], capture_output=True, text=True, timeout=60)


@pytest.fixture
def host(tmp_path):
    """A host of a name that no other test has; its name."""
    name = "test-" + uuid.uuid4().hex[:8]
    path = tmp_path / "host.yaml"
    path.write_text(CONFIGURATION.format(name=name))
    up = adjunct("up", str(path), "--detach", *os.environ.get("ADJUNCT_UP_OPTIONS", "").split())
    assert up.returncode == 0, up.stderr
    yield name
    assert adjunct("down", name).returncode == 0


def test_a_queue_that_another_mediated_device_has_cannot_be_assigned(host):
    assert adjunct("write", host, f"{MATRIX}/mdev_supported_types/vfio_ap-passthrough/create", MDEV).returncode == 0
    assert adjunct("write", host, f"{MATRIX}/{MDEV}/assign_adapter", "5").returncode == 0
    refused = adjunct("write", host, f"{MATRIX}/{MDEV}/assign_domain", "4")
    assert refused.returncode == 1
    assert "EADDRINUSE" in refused.stderr


@pytest.mark.skipif("--no-mount" in os.environ.get("ADJUNCT_UP_OPTIONS", ""), reason="programs need a mounted host")
def test_a_program_sees_the_tree_as_its_sys(host):
    listing = adjunct("exec", host, "--", "ls", "/sys/bus/ap/devices")
    assert listing.stdout.split() == ["05.0004", "05.0005", "card05"]
