"""The repository keeps its own rules; and each rule sees what it is there for."""

import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import include_rules
import text_rules
from modules import Tree

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("include", "src", "tests", "bench", "examples")


class TheRepository(unittest.TestCase):
    maxDiff = None


def _add_include_rule(rule):
    def test(self):
        self.assertEqual(rule(Tree(ROOT)), [])

    setattr(TheRepository, f"test_{rule.__name__}", test)


def _add_text_rule(rule):
    def test(self):
        complaints = []
        for folder in FOLDERS:
            for path in sorted((ROOT / folder).rglob("*")):
                if path.suffix in (".cpp", ".hpp"):
                    complaints += rule(path.relative_to(ROOT).as_posix(), path.read_text())
        self.assertEqual(complaints, [])

    setattr(TheRepository, f"test_every_file_{rule.__name__}", test)


for _rule in include_rules.RULES:
    _add_include_rule(_rule)
for _rule in text_rules.RULES:
    _add_text_rule(_rule)


class IncludeRules(unittest.TestCase):
    """On a small tree: base, memory above it, and cache above both."""

    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.write("src/CMakeLists.txt", "add_subdirectory(base)\nadd_subdirectory(memory)\nadd_subdirectory(cache)\n")
        self.write("src/base/CMakeLists.txt", "larder_module(base HEADER_ONLY HEADERS clock.hpp)\n")
        self.write("src/memory/CMakeLists.txt", "larder_module(memory SOURCES m.cpp HEADERS tier.hpp DEPENDS base)\n")
        self.write("src/cache/CMakeLists.txt", "larder_module(cache SOURCES c.cpp DEPENDS base memory)\n")
        self.write("include/larder/clock.hpp", "// Time.\n#pragma once\n")
        self.write("include/larder/tier.hpp", '// A tier.\n#pragma once\n#include "larder/clock.hpp"\n')

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def complaints(self):
        tree = Tree(self.root)
        return [complaint for rule in include_rules.RULES for complaint in rule(tree)]

    def test_a_tree_in_order_has_no_complaint(self):
        self.assertEqual(self.complaints(), [])

    def test_an_upward_dependency_is_seen(self):
        self.write("src/base/CMakeLists.txt", "larder_module(base HEADERS clock.hpp DEPENDS memory)\n")

        self.assertIn("does not stand before it", self.complaints()[0])

    def test_an_upward_include_is_seen(self):
        self.write("src/cache/flight.hpp", "// A flight.\n")
        self.write("src/memory/m.cpp", '#include "cache/flight.hpp"\n')

        self.assertIn("on which memory does not depend", self.complaints()[0])

    def test_an_upward_include_by_a_public_header_is_seen(self):
        self.write("include/larder/clock.hpp", '#include "larder/tier.hpp"\n')

        self.assertTrue(any("on which base does not depend" in c for c in self.complaints()))

    def test_a_public_header_that_shows_the_inside_is_seen(self):
        self.write("src/base/inside.hpp", "// Inside.\n")
        self.write("include/larder/clock.hpp", '#include "base/inside.hpp"\n')

        self.assertIn("public headers only", self.complaints()[0])

    def test_a_public_header_without_an_owner_is_seen(self):
        self.write("include/larder/lost.hpp", "// Lost.\n")

        self.assertIn("belongs to no folder", self.complaints()[0])

    def test_headers_that_include_each_other_are_seen(self):
        self.write("src/cache/a.hpp", '#include "cache/b.hpp"\n')
        self.write("src/cache/b.hpp", '#include "cache/a.hpp"\n')

        self.assertIn("include each other", self.complaints()[0])

    def test_an_include_of_nothing_is_seen(self):
        self.write("src/cache/c.cpp", '#include "flight.hpp"\n')

        self.assertIn("headers are named from there", self.complaints()[0])

    def test_the_memory_tier_may_not_grow_a_dependency(self):
        self.write("src/CMakeLists.txt", "add_subdirectory(base)\nadd_subdirectory(runtime)\nadd_subdirectory(memory)\n")
        self.write("src/runtime/CMakeLists.txt", "larder_module(runtime DEPENDS base)\n")
        self.write("src/memory/CMakeLists.txt", "larder_module(memory HEADERS tier.hpp DEPENDS base runtime)\n")

        self.assertIn("nothing else, but sees runtime", self.complaints()[0])


class TextRules(unittest.TestCase):
    def complaints(self, text, path="src/base/a.hpp"):
        return [complaint for rule in text_rules.RULES for complaint in rule(path, text)]

    def test_a_plain_header_has_no_complaint(self):
        self.assertEqual(self.complaints("// What it is.\n#pragma once\nint a();\n"), [])

    def test_each_rule_sees_what_it_is_there_for(self):
        header = "// What it is.\n#pragma once\n"
        broken = {
            "has 601 lines": header + "\n" * 599,
            "path of one machine": header + '// see "/home/' + 'me/notes"\n',
            "do it, or file it": header + "// TO" + "DO: more\n",
            "a macro": header + "#define A 1\n",
            "a fence": header + "std::atomic_thread_fence(std::memory_order_seq_cst);\n",
            "opens with a paragraph": "#pragma once\n",
            "lacks #pragma once": "// What it is.\n",
        }
        for said, text in broken.items():
            with self.subTest(said):
                self.assertEqual(len(self.complaints(text)), 1)
                self.assertIn(said, self.complaints(text)[0])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
