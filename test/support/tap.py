"""Reports test cases in the Test Anything Protocol, one line a case."""


class Tap:
    def __init__(self):
        self.count = 0
        self.failures = 0

    def report(self, name, problems=()):
        """A case passed unless there are problems, each a line of text."""
        self.count += 1
        self.failures += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}", flush=True)
        for problem in problems:
            print("# " + problem.replace("\n", "\n# "), flush=True)

    def finish(self):
        """Prints the plan; returns the exit status."""
        print(f"1..{self.count}", flush=True)
        return 1 if self.failures else 0
