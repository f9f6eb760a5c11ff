"""Starts a Switchyard with simulated providers, opens accounts, runs a test suite in front of it.

    world.py embedded|postgres-redis FOLDER -- COMMAND...

The suite finds what it needs in its environment:

    SWITCHYARD_URL             the API's base address, up to and including /api/v1
    SWITCHYARD_KEY             a key with credit behind it
    SWITCHYARD_MANAGEMENT_KEY  a key of the same account that manages
    SWITCHYARD_POOR_KEY        a key without credit
"""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from catalog import PROVIDERS, write_catalog

BINARY = os.environ["SWITCHYARD_BIN"]
SIMULATOR = os.environ["SWITCHYARD_SIMULATOR"]
SCRIPTS = Path(__file__).resolve().parents[2] / "crates" / "testkit" / "src"
START_SECONDS = 60
STOP_SECONDS = 30


@contextlib.contextmanager
def program(command, **options):
    """A process that ends with the block."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def kept_by(script, *arguments):
    """A server that a script keeps until its standard input is closed."""
    text = (SCRIPTS / script).read_text()
    keeper = subprocess.Popen(
        ["sh", "-c", text, "sh", *(arguments or [text])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield keeper.stdout
    finally:
        keeper.stdin.close()
        keeper.wait(STOP_SECONDS)
        keeper.stdout.close()


@contextlib.contextmanager
def postgres():
    with kept_by("postgres.sh") as output:
        folder = output.readline().strip()
        assert folder, "PostgreSQL did not start; its messages are above"
        yield f"postgres://postgres@localhost/postgres?host={folder}"


@contextlib.contextmanager
def redis():
    port = free_port()
    with kept_by("redis.sh", "-", str(port)) as output:
        for line in output:
            if "Ready to accept connections" in line:
                break
        else:
            raise AssertionError("Redis did not start; its messages are above")
        yield f"redis://127.0.0.1:{port}"


@contextlib.contextmanager
def providers():
    """The simulator; gives the address it listens at."""
    command = [SIMULATOR, "--listen", "127.0.0.1:0", "--token-delay-ms", "0"]
    with program(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        yield line.removeprefix("listening on ").strip()


def free_port():
    """A port below the range that the system hands out by itself, so that nobody is given it meanwhile."""
    while True:
        port = random.randrange(12_000, 20_000)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class Switchyard:
    """The binary with its settings."""

    def __init__(self, folder, settings):
        self.api, self.admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        self.log = folder / "node.log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "SWITCHYARD__DATA_DIR": str(folder / "data"),
            "SWITCHYARD__CATALOG__DIR": str(folder / "catalog"),
            "SWITCHYARD__SERVER__LISTEN": self.api,
            "SWITCHYARD__ADMIN__LISTEN": self.admin,
            "SWITCHYARD__EGRESS__OPERATOR_PRIVATE_CIDRS": "127.0.0.0/8",
            **settings,
        }

    def run(self, *arguments, text=""):
        """Runs a command and reads the JSON that it prints."""
        done = subprocess.run(
            [BINARY, "--json", *arguments],
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def account(self, email, usd=None):
        account = self.run("account", "create", "--email", email)["account_id"]
        if usd:
            self.run("credit", "grant", "--account", account, "--usd", usd, "--reason", "test")
        return account

    def key(self, account, *options):
        return self.run("key", "create", "--account", account, "--name", "test", *options)["key"]

    @contextlib.contextmanager
    def node(self):
        """A running node; its end must be an orderly one."""
        with open(self.log, "w") as log:
            command = [BINARY, "serve"]
            with program(command, env=self.environment, stdout=log, stderr=log) as process:
                self.wait_until_ready(process)
                yield
        assert process.returncode == 0, f"the node ended with {process.returncode}"

    def wait_until_ready(self, process):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert process.poll() is None, f"the node ended: {self.log.read_text()}"
            with contextlib.suppress(OSError, urllib.error.URLError):
                with urllib.request.urlopen(f"http://{self.admin}/readyz", timeout=5):
                    return
            time.sleep(0.02)
        raise AssertionError(f"the node is not ready: {self.log.read_text()}")


def run_suite(switchyard, suite_folder, command):
    """Opens the accounts, starts the node, runs the suite; gives its exit code."""
    for provider in PROVIDERS:
        switchyard.run("provider-key", "set", provider, text=f"sk-upstream-{provider}")
    account = switchyard.account("ada@example.com", usd="10")
    environment = {
        **os.environ,
        "SWITCHYARD_URL": f"http://{switchyard.api}/api/v1",
        "SWITCHYARD_KEY": switchyard.key(account, "--limit-usd", "5", "--limit-reset", "monthly"),
        "SWITCHYARD_MANAGEMENT_KEY": switchyard.key(account, "--management"),
        "SWITCHYARD_POOR_KEY": switchyard.key(switchyard.account("eve@example.com")),
        "NO_PROXY": "127.0.0.1",
    }
    with switchyard.node():
        code = subprocess.run(command, cwd=suite_folder, env=environment).returncode
        if code != 0:
            print(*switchyard.log.read_text().splitlines()[-40:], sep="\n", file=sys.stderr)
    report = switchyard.run("ledger", "verify")
    assert report["ok"] and report["leases"] == 0, report
    return code


def main(configuration, suite_folder, separator, *command):
    assert separator == "--" and command, __doc__
    print(f"--- {Path(suite_folder).name}, {configuration}", flush=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="switchyard-clients.")))
        settings = {}
        if configuration == "postgres-redis":
            settings["DATABASE_URL"] = stack.enter_context(postgres())
            settings["REDIS_URL"] = stack.enter_context(redis())
        else:
            assert configuration == "embedded", __doc__
        write_catalog(folder / "catalog", stack.enter_context(providers()))
        return run_suite(Switchyard(folder, settings), suite_folder, command)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
