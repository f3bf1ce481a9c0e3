"""Runs the snippets of one page, or compiles those of all.

  snippets_test.py page PAGE --larder PROGRAM      links, toml, console and sh blocks
  snippets_test.py compile COMPILER FLAGS…         cpp blocks of every page
"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from page import Page, fits, stands_in, steps
from session import Session

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
AT_NAMESPACE_SCOPE = re.compile(r"^(struct|class|enum|template|BOOST_DESCRIBE|using |#include|namespace)")


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["page"] and arguments[2:3] == ["--larder"]:
        return report(check_page(Page(ROOT / arguments[1]), Path(arguments[3])))
    if arguments[:1] == ["compile"] and len(arguments) > 1:
        return report(compile_snippets(arguments[1:]))
    if arguments == ["self"]:
        unittest.main(argv=[sys.argv[0], "-v"])
    sys.exit(__doc__)


def report(complaints: list[str]) -> int:
    print("\n\n".join(complaints))
    return 1 if complaints else 0


def check_page(page: Page, larder: Path) -> list[str]:
    complaints = [f"{page.path.name} links to {link}, which is not there" for link in dead_links(page)]
    complaints += [
        f"{page.path.name}:{block.line}: {complaint}" for block in page.of("sh") for complaint in unknown_commands(block.text)
    ]
    with Session(larder) as session:
        for block in page.of("toml", "console"):
            where = f"{page.path.name}:{block.line}"
            if block.language == "toml":
                complaints += [f"{where}: {c}" for c in check_toml(session, block)]
            else:
                complaints += [f"{page.path.name}:{c}" for c in type_block(session, block)]
        if complaint := session.end():
            complaints.append(f"{page.path.name}: {complaint}")
    return complaints


def check_toml(session: Session, block) -> list[str]:
    name = block.name or "larder.toml"
    session.write(name, block.text)
    printed = session.type(f"larder check {name} || echo refused")
    return [f"`larder check` says\n{printed}"] if "refused" in printed else []


def type_block(session: Session, block) -> list[str]:
    complaints = []
    for step in steps(block):
        printed = session.type(step.command)
        if not fits(step.expected, printed):
            expected = "\n".join(step.expected)
            complaints.append(f"{step.line}: $ {step.command}\nshould print\n{expected}\nbut prints\n{printed}")
    return complaints


def unknown_commands(text: str) -> list[str]:
    """Each line must be a command of ./dev, or what everybody has."""
    known = subprocess.run([ROOT / "dev", "help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    complaints = []
    for line in filter(None, text.splitlines()):
        words = line.split()
        if words[0] in ("git", "cd"):
            continue
        if words[0] != "./dev" or not re.search(rf"^  (\w+, )*{re.escape(words[1])}\b", known, re.MULTILINE):
            complaints.append(f"`{line}` is no command of ./dev: use a console block, which is run")
    return complaints


def dead_links(page: Page) -> list[str]:
    dead = []
    for link in page.links():
        if re.match(r"\w+:", link):
            continue  # the web
        target, _, anchor = link.partition("#")
        path = page.path.parent / target if target else page.path
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in Page(path).anchors()):
            dead.append(link)
    return dead


def compile_snippets(compiler: list[str]) -> list[str]:
    """Each page's fragments together are one function, each page one source file."""
    programs = [path.read_text() for path in (ROOT / "examples").rglob("*.cpp")]
    complaints = []
    for page in map(Page, PAGES):
        fragments = [b for b in page.of("cpp") if not any(stands_in(b.text, program) for program in programs)]
        if not fragments:
            continue
        with tempfile.TemporaryDirectory(prefix="larder-docs-") as directory:
            source = Path(directory) / "snippets.cpp"
            source.write_text(as_program(page, fragments))
            done = subprocess.run(
                [*compiler, "-fsyntax-only", "-w", f"-I{Path(__file__).parent}", source],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )
        if done.returncode != 0:
            complaints.append(f"{page.path.name} does not compile with {compiler[0]}:\n{done.stdout}")
    return complaints


def as_program(page: Page, fragments) -> str:
    outside, inside = "", ""
    for block in fragments:
        placed = f'#line {block.line + 1} "{page.path.name}"\n{block.text}\n'
        if AT_NAMESPACE_SCOPE.match(block.text):
            outside += placed
        else:
            inside += placed
    result = "boost::asio::awaitable<void>" if "co_await" in inside else "void"
    return f'#include "prelude.hpp"\n{outside}\n{result} page(larder::Runtime& runtime) {{\n{inside}}}\n'


class Snippets(unittest.TestCase):
    def page(self, text: str) -> Page:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = Path(directory.name) / "page.md"
        path.write_text(text)
        return Page(path)

    def test_blocks_are_found_with_language_name_and_line(self):
        page = self.page("# A\n\n```toml a.toml\nx = 1\n```\ntext\n```console\n$ true\n```\n")

        self.assertEqual([(b.language, b.name, b.line) for b in page.blocks], [("toml", "a.toml", 3), ("console", "", 7)])

    def test_commands_go_over_lines_and_are_told_from_what_they_print(self):
        page = self.page("```console\n$ cat <<E\n> a\n> E\na\n$ true\n```\n")

        found = steps(page.blocks[0])

        self.assertEqual([(s.command, s.expected) for s in found], [("cat <<E\na\nE", ["a"]), ("true", [])])

    def test_an_ellipsis_stands_for_text_or_lines(self):
        self.assertTrue(fits(["took … ms"], "took 17 ms\n"))
        self.assertTrue(fits(["first", "…", "last"], "first\na\nb\nlast\n"))
        self.assertTrue(fits(["first", "…"], "first\n"))
        self.assertTrue(fits([], ""))

    def test_what_is_printed_otherwise_does_not_fit(self):
        self.assertFalse(fits(["42"], "43\n"))
        self.assertFalse(fits(["42"], "42\nand more\n"))
        self.assertFalse(fits(["42"], ""))
        self.assertFalse(fits([], "something\n"))

    def test_a_snippet_stands_in_a_program_whatever_its_indentation(self):
        self.assertTrue(stands_in("a();\nb();\n", "int main() {\n  a();\n\n  b();\n}\n"))
        self.assertFalse(stands_in("a();\nb();\n", "int main() {\n  a();\n  c();\n  b();\n}\n"))

    def test_a_command_that_dev_does_not_have_is_seen(self):
        self.assertEqual(unknown_commands("./dev test --long\n./dev tsan\n"), [])
        self.assertEqual(len(unknown_commands("./dev fly\n")), 1)

    def test_dead_links_are_seen(self):
        page = self.page("# One Two\n[a](page.md#one-two) [b](page.md#three) [c](gone.md) [d](https://example.org)\n")

        self.assertEqual(dead_links(page), ["page.md#three", "gone.md"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
