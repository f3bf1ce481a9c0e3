"""The folders of src/ as their CMakeLists.txt declare them.

A Tree is what the rules look at: which folders there are, in which order, what
each may see, and which public headers each stands behind. Nothing is built; the
files are read as text.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
KEYWORDS = {"HEADER_ONLY", "HEADERS", "SOURCES", "DEPENDS", "LINKS"}


@dataclass
class Module:
    name: str
    depends: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)  # "larder/cache.hpp", or a folder "larder/detail/"


class Tree:
    def __init__(self, root: Path):
        self.root = root
        self.order = re.findall(r"add_subdirectory\((\w+)\)", (root / "src/CMakeLists.txt").read_text())
        self.modules = {name: self._module(name) for name in self.order}

    def _module(self, name: str) -> Module:
        text = re.sub(r"#.*", "", (self.root / "src" / name / "CMakeLists.txt").read_text())
        module = Module(name)
        declared = re.search(rf"larder_module\({name}\b([^)]*)\)", text)
        if declared:
            lists = _by_keyword(declared.group(1).split())
            module.depends = lists.get("DEPENDS", [])
            module.headers = [f"larder/{header}" for header in lists.get("HEADERS", [])]
        else:  # a program: what it links is what it sees
            for linked in re.findall(r"target_link_libraries\(\w+([^)]*)\)", text):
                module.depends += [n for n in re.findall(r"\blarder_(\w+)", linked) if n != "compile"]
        return module

    def sees(self, name: str) -> set[str]:
        """The folders that `name` may include from: itself, and what it depends on."""
        seen: set[str] = set()
        todo = [name]
        while todo:
            module = todo.pop()
            if module in seen or module not in self.modules:
                continue
            seen.add(module)
            todo += self.modules[module].depends
        return seen

    def owner(self, header: str) -> str | None:
        """The folder that stands behind a public header: the longest declaration that fits."""
        best, best_length = None, 0
        for module in self.modules.values():
            for declared in module.headers:
                fits = header == declared or (declared.endswith("/") and header.startswith(declared))
                if fits and len(declared) > best_length:
                    best, best_length = module.name, len(declared)
        return best

    def public_headers(self) -> list[Path]:
        return sorted((self.root / "include").rglob("*.hpp"))

    def files_of(self, name: str) -> list[Path]:
        folder = self.root / "src" / name
        return sorted(p for p in folder.rglob("*") if p.suffix in (".hpp", ".cpp"))

    def relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def includes(path: Path) -> list[str]:
    return INCLUDE.findall(path.read_text())


def _by_keyword(words: list[str]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    current = None
    for word in words:
        if word in KEYWORDS:
            current = word
            lists.setdefault(current, [])
        elif current:
            lists[current].append(word)
    return lists
