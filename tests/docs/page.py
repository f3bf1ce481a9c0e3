"""A page of documentation, and the snippets in it.

What becomes of a fenced block depends on its language:

  cpp      stands verbatim in a program of examples/, or is compiled (snippets_test.py)
  toml     passes `larder check`; "```toml shop.toml" also gives the file to the page's session
  console  is typed: lines "$ command" ("> " continues one), then what it prints, where … stands
           for any text and a line … for any lines
  sh       commands shown without their output: each must be one that ./dev or larder has
  other    (text, sql, json, …) is not run
"""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^ *```\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


@dataclass
class Block:
    language: str
    name: str  # what follows the language: a file's name, or nothing
    text: str
    line: int


@dataclass
class Step:
    command: str
    expected: list[str]
    line: int


class Page:
    def __init__(self, path: Path):
        self.path = path
        self.text = path.read_text()
        self.blocks = []
        for match in FENCE.finditer(self.text):
            language, _, name = match["info"].strip().partition(" ")
            text = re.sub(rf"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
            line = self.text.count("\n", 0, match.start()) + 1
            self.blocks.append(Block(language, name.strip(), text, line))

    def of(self, *languages: str) -> list[Block]:
        return [block for block in self.blocks if block.language in languages]

    def links(self) -> list[str]:
        return LINK.findall(FENCE.sub("", self.text))

    def anchors(self) -> set[str]:
        """As GitHub makes them of headings."""
        headings = HEADING.findall(FENCE.sub("", self.text))
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def steps(block: Block) -> list[Step]:
    found: list[Step] = []
    for offset, line in enumerate(block.text.splitlines()):
        if line.startswith("$ "):
            found.append(Step(line[2:], [], block.line + 1 + offset))
        elif line.startswith("> ") and found and not found[-1].expected:
            found[-1].command += "\n" + line[2:]
        elif found:
            found[-1].expected.append(line)
        elif line.strip():
            raise ValueError(f"line {block.line + 1 + offset}: a console block begins with a command: $ …")
    for step in found:
        while step.expected and not step.expected[-1].strip():
            step.expected.pop()
    return found


def fits(expected: list[str], printed: str) -> bool:
    """Whether `printed` is what the page says, with … as the reader understands it."""
    pattern = ""
    for line in expected:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.rstrip().split("…")) + r" *\n"
    printed = printed.rstrip("\n") + "\n" if printed.strip() else ""
    return re.fullmatch(pattern, printed) is not None


def stands_in(snippet: str, program: str) -> bool:
    """Whether the lines of `snippet` stand in `program`, one after the other; indentation aside."""
    wanted = [line.strip() for line in snippet.splitlines() if line.strip()]
    lines = [line.strip() for line in program.splitlines() if line.strip()]
    return any(lines[i : i + len(wanted)] == wanted for i in range(len(lines) - len(wanted) + 1))
