"""A herod of one's own: started, waited for without sleeping, stopped with status 0."""
import json
import os
import select
import socket
import subprocess

START_SECONDS = 20


class Herod:
    def __init__(self, folder, database):
        self.folder = folder
        self.url = f"ipc://{folder}/s"
        self.database = database

    def __enter__(self):
        address = os.path.join(self.folder, "ready")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(address)
            environment = dict(os.environ, NOTIFY_SOCKET=address)
            self.process = subprocess.Popen(
                [os.environ["HEROD"], "--database", self.database, "--listen", self.url],
                env=environment,
            )
            try:
                self.wait_ready(ready)
            finally:
                os.unlink(address)
        return self

    def wait_ready(self, ready):
        while True:
            readable, _, _ = select.select([ready], [], [], START_SECONDS)
            if not readable or self.process.poll() is not None:
                self.process.kill()
                raise AssertionError("herod did not become ready")
            if b"READY=1" in ready.recv(4096):
                return

    def __exit__(self, *_):
        self.process.terminate()
        try:
            status = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert status == 0, f"herod ended with status {status}"

    def run(self, *arguments, status=0):
        done = subprocess.run(
            # Sanitizers are slow, and so are the scans of tables that have no index.
            [os.environ["HEROCTL"], "--url", self.url, "--timeout", "100", "-o", "json",
             *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == status, (
            f"heroctl {' '.join(arguments)}: status {done.returncode}, not {status}\n"
            f"{done.stdout}{done.stderr}"
        )
        return done.stdout if status == 0 else done.stderr

    def json(self, *arguments):
        return json.loads(self.run(*arguments))

    def apply_heroes(self, status=0):
        source = os.environ["HERO_SOURCE"]
        # hero/options.proto is not installed where tests run.
        return self.run(
            "apply",
            "-I",
            os.path.join(source, "proto"),
            os.path.join(source, "examples/heroes/heroes.proto"),
            status=status,
        )
