#!/usr/bin/env python3
"""Runs the examples of docs/manual: what the manual shows is what happens.

A page's blocks run in the page's order in one folder of its own, with tarn on PATH and, as python3, the Python that has duckdb and deltalake.

```sh       a script; working folder, functions and exported variables carry over to the page's next block. A ```text block that follows at
            once is what must come, both streams together. Words after `sh`: `no-run` (needs a network, a GUI or root), `exit=N`.
```console  '$ command', then what it prints; '? N' right after a command is its exit status. Pages that have such blocks find TARN_LAKE set.

In what is shown, `...` within a line is any text, as a line any number of lines, and at the end of the last line of a console example any
further lines too. 10:15:00 stands for any time of day, 0.12s for any duration. MANUAL_KEEP=1 leaves the folders and names them.
"""
import argparse, os, pathlib, re, shlex, subprocess, sys, tempfile

ROOT = pathlib.Path(os.environ.get("TARN_ROOT") or pathlib.Path(__file__).resolve().parents[2])
TARN = pathlib.Path(os.environ.get("TARN") or ROOT / "build/tarn").resolve()
PYTHON = os.environ.get("ORACLE_PYTHON") or sys.executable
PAGES = ROOT / "docs/manual"
BLOCK_SECONDS_MAX = 600
WILDCARD = re.compile(r"(?<!\.)\.\.\.(?!\.)")  # three dots, not the leaders of a console line
FENCE = re.compile(r"^(`{3,})\s*(.*)$")


class Block:
    def __init__(self, line, words):
        self.line, self.language, self.words = line, words[0] if words else "", words[1:]
        self.text, self.expected = "", None

    def exit_status(self):
        given = [w[5:] for w in self.words if w.startswith("exit=")]
        return int(given[0]) if given else 0


def commands_of(block, lines):
    """The commands of a ```console block, each as a ```sh block with its output."""
    found = []
    for number, line in enumerate(lines, block.line + 1):
        if line.startswith("$ "):
            found.append(Block(number, ["sh", *block.words]))
            found[-1].text, found[-1].expected = line[2:] + "\n", ""
        elif not found:
            raise ValueError(f"line {number}: a console block begins with a command")
        elif line.startswith("? ") and not found[-1].expected:
            found[-1].words.append("exit=" + line[2:].strip())
        else:
            found[-1].expected += line + "\n"
    for command in found:
        if command.expected.endswith("...\n"):
            command.expected += "...\n"
    return found


def blocks_of(page):
    """What a page runs; a ```text block with nothing but blank lines before it belongs to the ```sh block above."""
    found, block, fence, last = [], None, None, None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        match = FENCE.match(line)
        if block is None and match:
            fence, block, lines = match[1], Block(number, match[2].split()), []
        elif block is not None and line.strip() == fence:
            block.text = "".join(x + "\n" for x in lines)
            if block.language == "sh":
                found.append(block)
            elif block.language == "console":
                found += commands_of(block, lines)
            elif block.language == "text" and last is not None and last.language == "sh":
                last.expected = block.text
            last, block = block, None
        elif block is not None:
            lines.append(line)
        elif line.strip():
            last = None
    if block is not None:
        raise ValueError(f"{page.name}:{block.line}: the block has no end")
    return found


def plain(text):
    text = re.sub(r"\b\d\d:\d\d:\d\d\b", "TIME", text)
    text = re.sub(r"\b\d+\.\d+s\b", "0.00s", text)
    return [line.rstrip() for line in text.splitlines()]


def line_matches(pattern, line):
    return re.fullmatch(".*".join(re.escape(part) for part in WILDCARD.split(pattern)), line) is not None


def matches(patterns, lines):
    """Lines against patterns, where '...' alone takes any number of lines: on a mismatch the last '...' takes one more."""
    p = at = 0
    star = star_at = None
    while at < len(lines):
        if p < len(patterns) and patterns[p] == "...":
            star, star_at, p = p, at, p + 1
        elif p < len(patterns) and line_matches(patterns[p], lines[at]):
            p, at = p + 1, at + 1
        elif star is not None:
            star_at += 1
            p, at = star + 1, star_at
        else:
            return False
    return all(x == "..." for x in patterns[p:])


def environment(scratch):
    tools, home = scratch / "bin", scratch / "home"
    tools.mkdir()
    home.mkdir()
    (tools / "tarn").symlink_to(TARN)
    for name in ("python3", "python"):
        (tools / name).write_text(f"#!/bin/sh\nexec {shlex.quote(PYTHON)} \"$@\"\n")
        (tools / name).chmod(0o755)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "TARN", "PYTHON"))}
    env.update(PATH=f"{tools}:{env.get('PATH', '/usr/bin:/bin')}", HOME=str(home), LANG="C.UTF-8", TZ="UTC")
    if "TARN_EXTENSION_DIR" in os.environ:
        env["TARN_EXTENSION_DIR"] = os.environ["TARN_EXTENSION_DIR"]
    return env


def run(block, folder, state, env):
    """(exit status, output). The shell's state goes through a file from one block to the next."""
    state = shlex.quote(str(state))
    script = (f'if [ -f {state} ]; then . {state}; fi\n'
              f'trap \'{{ export -p; declare -f; printf "cd %q\\n" "$PWD"; }} >{state}\' EXIT\n'
              f'set -e -o pipefail\n{block.text}')
    try:
        done = subprocess.run(["bash", "-c", script], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=BLOCK_SECONDS_MAX)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b"").decode(errors="replace")


def fault_of(block, status, output):
    if status is None:
        return f"not finished after {BLOCK_SECONDS_MAX} s"
    if status != block.exit_status():
        return f"exit status {status}, not {block.exit_status()}"
    if block.expected is not None and not matches(plain(block.expected), plain(output)):
        return "other output than shown"
    return None


def indented(text):
    return "".join(f"    {line}\n" for line in text.splitlines()) or "    (nothing)\n"


def run_page(page, scratch):
    folder, state = scratch / "work", scratch / "state.sh"
    folder.mkdir()
    env = environment(scratch)
    if "\n```console\n" in page.read_text():
        env["TARN_LAKE"] = str(folder / "lake")
    passed = failed = 0
    for block in blocks_of(page):
        if "no-run" in block.words:
            continue
        status, output = run(block, folder, state, env)
        fault = fault_of(block, status, output)
        if fault is None:
            passed += 1
            continue
        failed += 1
        print(f"FAILED {page.name}:{block.line}: {fault}\n  ran:\n{indented(block.text)}  output:\n{indented(output)}", flush=True)
        if block.expected is not None:
            print(f"  shown:\n{indented(block.expected)}", flush=True)
    return passed, failed


def matcher_works():
    """The judge itself: a wildcard must not swallow a difference."""
    good = [("a\n...\nc", "a\nb\nb\nc"), ("...\nz", "z"), ("x ... y", "x 1 y"), ("at 10:00:00", "at 23:59:01"), ("...", "")]
    bad = [("a\n...\nc", "a\nb"), ("a", "a\nb"), ("a\nb", "a"), ("x ... y", "x 1 z"), ("...\nz", "z\ny"), ("a.c", "abc")]
    return all(matches(plain(p), plain(t)) for p, t in good) and not any(matches(plain(p), plain(t)) for p, t in bad)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", nargs="*", help="names of pages; all without")
    args = parser.parse_args()
    passed = failed = 0
    if matcher_works():
        passed += 1
    else:
        failed += 1
        print("FAILED the comparison of output with what is shown")
    for page in [PAGES / p for p in args.pages] or sorted(PAGES.glob("*.md")):
        scratch = pathlib.Path(tempfile.mkdtemp(prefix=f"manual-{page.stem}-"))
        counts = run_page(page, scratch)
        passed, failed = passed + counts[0], failed + counts[1]
        if os.environ.get("MANUAL_KEEP"):
            print(f"{page.name}: {scratch}")
        else:
            subprocess.run(["rm", "-rf", str(scratch)], check=False)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
