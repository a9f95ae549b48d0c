"""A wheel is made, has all that the product reads, and what it installs runs from any folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hub import PATIENCE, eventually

from mash.flows.installation.stack import free_port

ROOT = Path(__file__).parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The wheel's folder, of a copy of the tree, and what was said while it was made."""
    tree = tmp_path_factory.mktemp("tree")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    words = [*PIP, "wheel", "-v", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", "."]
    done = subprocess.run(words, cwd=tree, check=True, capture_output=True, text=True)
    return tree / "dist", done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(made: tuple[Path, str]) -> Iterator[Path]:
    """The wheel in a fresh environment, beside the packages that it needs; its `mash`."""
    folder = Path(tempfile.mkdtemp(prefix="mash-wheel-"))
    folder.chmod(0o755)
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = made[0].glob("*.whl")
    subprocess.run([*PIP, "--python", str(python), "install", "-q", "--no-deps", str(wheel)], check=True)
    # Of our environment the packages alone: the tree is installed there by a .pth file, which is not looked at here.
    packages = sysconfig.get_path("purelib")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    (site / "beside.pth").write_text(f"{packages}\n")
    yield folder / "venv" / "bin" / "mash"
    shutil.rmtree(folder)


def test_a_wheel_is_made_without_a_warning_and_has_every_file_of_the_product(made: tuple[Path, str]) -> None:
    folder, printed = made
    assert "absent from the `packages` configuration" not in printed
    done = subprocess.run([sys.executable, ROOT / ".ci" / "wheel.py", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_of_it_runs_from_the_wheel(installed: Path) -> None:
    folder, port = installed.parents[2], free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MASH_DATA_DIR": str(folder / "data"),
        "MASH_API_PORT": str(port),
        "MASH_PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
    }
    here = subprocess.run(
        [installed.parent / "python", "-c", "import mash.api as m; print(m.__path__[0])"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    assert here.stdout.startswith(str(folder))
    up = subprocess.Popen(
        [installed, "up"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        address = f"http://127.0.0.1:{port}"
        eventually(lambda: up.poll() is not None or answers(f"{address}/health"))
        assert up.poll() is None, up.communicate()[0]
        home = httpx.get(address, follow_redirects=True, timeout=60)
        linked = re.findall(r'(?:src|href)="(/static/[^"]+)"', home.text)
        assert len(linked) >= 2 and all(httpx.get(f"{address}{each}", timeout=60).status_code == 200 for each in linked)
        assert httpx.get(f"{address}/refer", follow_redirects=True, timeout=60).status_code == 200
        hubs = subprocess.run(
            [installed, "profile", "check"], cwd=folder, env=environment, check=True, capture_output=True, text=True
        )
        assert "sandwell" in hubs.stdout
    finally:
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=PATIENCE)
    assert up.returncode == 0


def answers(address: str) -> bool:
    """Whether somebody answers there."""
    try:
        return httpx.get(address, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


# --- an image of it -------------------------------------------------------------------------------------------------------------

INSTRUCTIONS = {"FROM", "RUN", "COPY", "USER", "WORKDIR", "ENV", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """What the Containerfile says, line by line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return [(name, " ".join(value.split())) for name, value in pairs]


def test_the_image_is_made_of_the_wheel_and_its_lock_and_runs_as_nobody_special() -> None:
    """No container can be built here: what can be known without is that it does what production.md does, and no more."""
    said = instructions()
    assert {name for name, _ in said} == INSTRUCTIONS
    assert [value for name, value in said if name == "COPY"] == ["build/wheel/ /wheel/"]
    assert "--wheel-dir build/wheel" in (ROOT / "Makefile").read_text()
    page = (ROOT / "docs" / "run" / "production.md").read_text()
    for step in ("install --require-hashes --no-deps -r requirements.lock", "install --no-deps mash_pipeline-*.whl"):
        assert step in page and step in " ".join(value for _, value in said).replace("--no-cache-dir ", "").replace("/wheel/", "")
    names = [name for name, _ in said]
    assert names.index("USER") > max(place for place, name in enumerate(names) if name == "RUN")
    assert dict(said)["USER"] == "mash" and dict(said)["ENTRYPOINT"] == '["mash"]'
    assert not re.search(r"(KEY|SECRET|PASSWORD|TOKEN|AUTH)\w*=", dict(said)["ENV"])
    ignored = (ROOT / ".containerignore").read_text().splitlines()
    assert ignored[-2:] == ["*", "!build/wheel/"]


def test_what_the_images_health_check_runs_is_python_that_asks_the_api() -> None:
    check = dict(instructions())["HEALTHCHECK"]
    words = json.loads(check[check.index("[") :])
    compile(words[2], "HEALTHCHECK", "exec")
    done = subprocess.run([sys.executable, *words[1:]], capture_output=True, check=False)
    assert done.returncode == 1 and b"URLError" in done.stderr, "nobody listens there now"
