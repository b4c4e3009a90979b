"""What the tests of `hawser check` share: the subjects as processes, and a run with its results."""

import contextlib
import json
import pathlib
import subprocess
import tempfile

SECONDS = 250
# Of a case: what comes to its end needs far less, on a machine that has other work too.
PATIENCE = 60


@contextlib.contextmanager
def running(command):
    """A subject, or the checker, that prints where it listens: its URL and its process."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"{command} printed {line!r} instead of its address")
        yield line.removeprefix("listening on ").strip(), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Checker:
    """Runs `hawser check`; each run gives the exit status and the rows of --json by their ids."""

    def __init__(self, hawser):
        self.hawser = hawser

    def call(self, *arguments):
        """Exit status, standard output, standard error."""
        done = subprocess.run([self.hawser, "check", *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
        return done.returncode, done.stdout, done.stderr

    def server(self, command, *options, timeout=PATIENCE):
        """Checks the server that the command starts."""
        with tempfile.TemporaryDirectory() as folder, running(command) as (url, _):
            path = pathlib.Path(folder) / "report.json"
            status, _, error = self.call(url, "--json", str(path), "--timeout", str(timeout), *options)
            return status, read_rows(path, error)

    def client(self, command, *options, timeout=PATIENCE):
        """Checks the client that the command starts once, with the URL behind it, and that connects again and again."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.json"
            check = [self.hawser, "check", "--listen", "0", "--json", str(path), "--timeout", str(timeout), *options]
            with running(check) as (url, process):
                subject = subprocess.Popen([url if word == "{url}" else word for word in command], stdout=subprocess.DEVNULL)
                try:
                    process.communicate(timeout=SECONDS)
                finally:
                    subject.kill()
                    subject.wait()
            return process.returncode, read_rows(path, "")

    def spawned(self, command, *options, timeout=PATIENCE):
        """Checks the client that the command starts for each case."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.json"
            arguments = ["--listen", "0", "--spawn", command, "--json", str(path), "--timeout", str(timeout), *options]
            status, _, error = self.call(*arguments)
            return status, read_rows(path, error)


def read_rows(path, error):
    if not path.exists():
        raise RuntimeError(f"hawser check wrote no report: {error}")
    return {row["id"]: row for row in json.loads(path.read_text(encoding="utf-8"))["cases"]}


def deviations(rows):
    """The ids of what failed or is not strict, with verdict and detail."""
    return {key: f"{row['verdict']}: {row['detail']}" for key, row in rows.items() if row["verdict"] in ("failed", "not strict")}
