"""Builds a mutant and runs the tests on it, beside a build tree that stays as it is."""

import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from mutation.sites import edited

KILLED, SURVIVED, INVALID = "killed", "survived", "invalid"
MEMORY = 8 << 30  # of one run of the tests: a mutant that records without end must not take the machine with it


class Trouble(Exception):
    """Why no mutant can be tried."""


class Stopped(Exception):
    """The run was interrupted."""


class Commands:
    """Runs programs, and ends those that run when the whole is stopped."""

    def __init__(self):
        self.running, self.lock, self.stopped = set(), threading.Lock(), False

    def run(self, command, directory, limit=None, **more):
        """(exit status, output); the status is None when the time was up."""
        with self.lock:
            if self.stopped:
                raise Stopped
            process = subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **more,
            )
            self.running.add(process)
        try:
            output, _ = process.communicate(timeout=limit)
            status = process.returncode
        except subprocess.TimeoutExpired:
            end(process)
            output, _ = process.communicate()
            status = None
        with self.lock:
            self.running.discard(process)
            if self.stopped:
                raise Stopped
        return status, output.decode(errors="replace")

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.running:
                end(process)


def end(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own
    except ProcessLookupError:
        pass


def restrict():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Build:
    """A copy of the sources and objects of a build tree, in which one object at a time is exchanged."""

    def __init__(self, project, preset, files, folder, commands):
        self.project, self.files, self.folder, self.commands = project, files, folder, commands
        self.tree = project / "build" / preset
        self.preset = preset
        self.headers = []

    def prepare(self):
        """Brings the build tree up to date and copies what the mutants need: what comes later to the sources does not matter."""
        configure = ["cmake", "--preset", self.preset]
        for step in (configure, ["cmake", "--build", "--preset", self.preset, "--target", "unroll_tests"]):
            status, output = self.commands.run(step, self.project)
            if status != 0:
                raise Trouble(f"{shlex.join(step)} failed:\n{output}")
        source = self.folder / "source"
        shutil.rmtree(source, ignore_errors=True)
        for room in ("core", "layers", "optim", "examples", "include"):
            shutil.copytree(self.project / room, source / room, symlinks=True)
        status, output = self.commands.run(["ninja", "-t", "commands", "tests/unroll_tests"], self.tree)
        lines = [line for line in output.splitlines() if line.startswith(": && ")]
        archive = [line for line in lines if " qc libunroll.a " in line]
        link = [line for line in lines if " -o tests/unroll_tests " in line]
        if status != 0 or not archive or not link:
            raise Trouble(f"{self.tree}: no commands for libunroll.a and tests/unroll_tests: is it a build tree of Ninja?")
        self.objects = [word for word in shlex.split(archive[0]) if word.endswith(".o")]
        self.link = shlex.split(link[0].removeprefix(": && ").split(" && ")[0])
        objects = self.folder / "objects"
        shutil.rmtree(objects, ignore_errors=True)
        others = {word for word in self.link if word.endswith((".o", ".a")) and word != "libunroll.a"}
        for name in {*self.objects, *others}:
            if not Path(name).is_absolute():
                (objects / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.tree / name, objects / name)
        self.compile = {}
        for entry in json.loads((self.tree / "compile_commands.json").read_text()):
            self.compile[os.path.relpath(entry["file"], self.project)] = shlex.split(entry["command"])

    def compile_command(self, file, text, output):
        """The file's own command on another text, beside the copied headers; with less optimisation, and with assertions: an index
        that a mutant leads astray ends the tests, where it would else read what happens to be there."""
        words = [w.replace(f"-I{self.project}/", f"-I{self.folder}/source/") for w in self.compile[file]]
        words[words.index("-o") + 1] = str(output)
        words[words.index("-c") + 1] = str(text)
        return [*words, "-O1", "-w", "-Wno-error", "-D_GLIBCXX_ASSERTIONS", *self.headers]

    def precompile(self, compiler, output):
        """Reads the headers that the files include once for all mutants: most of a compiler's time goes there."""
        header = self.folder / "headers" / "all.hpp"
        header.parent.mkdir(exist_ok=True)
        texts = [(self.folder / "source" / file).read_text() for file in self.files]
        included = {line for text in texts for line in text.splitlines() if line.startswith("#include <")}
        ordered = sorted(included, key=lambda line: ("<unroll/" not in line, line))
        header.write_text("\n".join([*ordered, CHOICE]))
        status, said = self.commands.run([*compiler, "-x", "c++-header", str(header), "-o", str(output)], self.folder)
        if status != 0:
            raise Trouble(f"the headers do not compile together:\n{said}")
        return header

    def for_libclang(self):
        """The arguments with which libclang reads a file."""
        output = self.folder / "headers" / "all.pch"
        options = [word for word in self.compile_command(self.files[0], "", "") if word.startswith(("-I", "-D", "-std="))]
        self.precompile(["clang++-14", *options], output)
        return [*options, "-include-pch", str(output)]

    def for_compiler(self):
        words = self.compile_command(self.files[0], "", "")
        header = self.folder / "headers" / "all.hpp"
        compiler = [w for w in words if w not in ("-o", "-c", "")]
        self.precompile(compiler, f"{header}.gch")
        self.headers = ["-include", str(header)]

    def make(self, workshop, replaced):
        """Links the tests with the objects of `replaced` (file -> object) in place of the library's own; returns the executable, or None."""
        archive, executable = workshop / "libunroll.a", workshop / "unroll_tests"
        archive.unlink(missing_ok=True)
        names = {f"CMakeFiles/unroll.dir/{file}.o": str(path) for file, path in replaced.items()}
        members = [names.get(name, str(self.folder / "objects" / name)) for name in self.objects]
        status, output = self.commands.run(["ar", "qcsT", str(archive), *members], self.folder / "objects")
        if status != 0:
            raise Trouble(f"ar failed: {output}")
        link = [{"libunroll.a": str(archive), "tests/unroll_tests": str(executable)}.get(w, w) for w in self.link]
        status, output = self.commands.run(link, self.folder / "objects")
        return executable if status == 0 else None

    def test(self, executable, workshop, chosen, limit, mutant=0):
        """The first test case that fails (a name, or why there is none), or None when all pass."""
        run = workshop / "run"
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir()
        environment = {**os.environ, "TMPDIR": str(run), "UNROLL_MUTANT": str(mutant)}
        command = [str(executable), "--abort-after=1", "--no-path-filenames", *chosen]
        status, output = self.commands.run(command, run, limit, env=environment, preexec_fn=restrict)
        if status == 0:
            return None
        if status is None:
            return f"stopped after {limit:.0f} s"
        lines = output.splitlines()
        for line in lines:
            if line.startswith("TEST CASE:"):
                return line.removeprefix("TEST CASE:").strip()
        return f"ended with status {status}"


class Trial:
    """All mutants at once: each changed file is compiled with its mutants beside the original, and a variable of the environment says
    which of them counts. The few that do not compile so are compiled one by one."""

    def __init__(self, build, stages):
        """`stages` gives the arguments of the runs of the tests for a file, the likeliest to fail first."""
        self.build, self.stages = build, stages
        self.objects, self.numbers, self.limits, self.lock = {}, {}, {}, threading.Lock()

    def compile(self, file, mutants, workshop):
        """Compiles the file with as many of its mutants, [(number, mutant)], as can stand side by side."""
        original = (self.build.folder / "source" / file).read_bytes()
        text = self.build.folder / "together" / file
        text.parent.mkdir(parents=True, exist_ok=True)
        output = text.with_suffix(".o")
        together = [(number, m) for number, m in mutants if all(is_expression(original, e) for e in m.edits)]
        while True:
            text.write_bytes(side_by_side(original, together))
            status, said = self.build.commands.run(self.build.compile_command(file, text, output), workshop)
            if status == 0:
                break
            wrong = {int(number) for number in re.findall(r"^mutant:(\d+):", said, re.MULTILINE)}
            rest = [(number, m) for number, m in together if number not in wrong]
            if not together:
                raise Trouble(f"{file} does not compile without a change:\n{said}")
            together = rest if len(rest) < len(together) else []  # none to blame: each alone
        with self.lock:
            self.objects[file] = output
            self.numbers.update({m: number for number, m in together})

    def link(self, workshop):
        """The tests must pass when no mutant counts; how long they take sets the time that a mutant has."""
        self.executable = self.build.make(workshop, self.objects)
        if not self.executable:
            raise Trouble("the tests do not link")
        self.executable = self.executable.rename(self.build.folder / "unroll_tests")

    def limit(self, chosen, workshop):
        with self.lock:
            key = tuple(chosen)
            if key not in self.limits:
                start = time.monotonic()
                if failed := self.build.test(self.executable, workshop, chosen, 600):
                    raise Trouble(f"the tests do not pass without a change: {failed}")
                self.limits[key] = 5 + 5 * (time.monotonic() - start)
            return self.limits[key]

    def run(self, mutant, workshop):
        """(verdict, what killed it or why it is not valid)."""
        executable, number = self.executable, self.numbers.get(mutant, 0)
        if not number:
            executable, why = self.compile_alone(mutant, workshop)
            if not executable:
                return INVALID, why
        for chosen in self.stages(mutant.file):
            limit = self.limit(chosen, workshop)
            if killer := self.build.test(executable, workshop, chosen, limit, number):
                return KILLED, killer
        return SURVIVED, ""

    def compile_alone(self, mutant, workshop):
        """(the tests with this mutant, or None; why not)."""
        text = workshop / mutant.file
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_bytes(edited((self.build.folder / "source" / mutant.file).read_bytes(), mutant.edits))
        output = text.with_suffix(".o")
        status, said = self.build.commands.run(self.build.compile_command(mutant.file, text, output), workshop, 120)
        if status is None:
            return None, "the compiler takes too long"
        if status != 0:
            error = [line for line in said.splitlines() if "error:" in line]
            return None, error[0].split("error:")[1].strip() if error else "does not compile"
        executable = self.build.make(workshop, {**self.objects, mutant.file: output})
        return executable, "" if executable else "does not link"


def is_expression(text, edit):
    """Not a list in braces, which cannot stand in a condition."""
    start, _, new = edit
    return not new.startswith("{") and text[start : start + 1] != b"{"


def side_by_side(text, mutants):
    """The text in which every changed expression becomes `mutant is chosen ? changed : original`. What the compiler says of
    mutant n it says of line n of a file "mutant"."""
    changes = {}  # (start, end) -> [(number, new text)]
    for number, mutant in mutants:
        for start, end, new in mutant.edits:
            changes.setdefault((start, end), []).append((number, new))
    spans = sorted(changes, key=lambda span: (span[0], -span[1]))

    def render(start, end, inner):
        parts, at = [], start
        while inner:
            first, last = inner[0]
            below = [s for s in inner[1:] if s[1] <= last]
            inner = [s for s in inner[1:] if s[0] >= last]
            piece = render(first, last, below)
            for number, new in changes[first, last]:
                nothing = new == "(void)0"
                original = b"(void)(" + piece + b")" if nothing else b"(" + piece + b")"
                changed = f"(unroll_mutant({number}) ? ({new}) :".encode()
                changed = f'\n#line {number} "mutant"\n'.encode() + changed.replace(b"\n", b" ")
                piece = changed + b'\n#line 1 "rest"\n' + original + b")"
            parts += [text[at:first], piece]
            at = last
        return b"".join([*parts, text[at:end]])

    return render(0, len(text), spans)


CHOICE = """#include <cstdlib>
inline const int unroll_chosen_mutant = std::getenv("UNROLL_MUTANT") ? std::atoi(std::getenv("UNROLL_MUTANT")) : 0;
inline bool unroll_mutant(int number) { return unroll_chosen_mutant == number; }
"""
