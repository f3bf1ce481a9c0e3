"""Rules of the text of C++ files. Each takes a path and its text, and returns
its complaints."""

import re
from pathlib import Path

MOST_LINES = 600
MACROS_ALLOWED = {"include/larder/thread_annotations.hpp"}
# The roots of a home or a build machine; what a program really opens (/proc, /dev, /tmp, /etc) is fine.
MACHINE_PATH = re.compile(r'(?<![\w./])/(?:home|root|work|workspace|Users|mnt|opt)/')
# Written apart, so that this file does not break its own rule.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")


def is_short_enough(path: str, text: str) -> list[str]:
    lines = text.count("\n")
    if lines <= MOST_LINES:
        return []
    return [f"{path} has {lines} lines: a file does one thing, in at most {MOST_LINES}"]


def names_no_path_of_a_machine(path: str, text: str) -> list[str]:
    return [f"{path}:{line}: names a path of one machine" for line in _lines(MACHINE_PATH, text)]


def leaves_nothing_unfinished(path: str, text: str) -> list[str]:
    return [f"{path}:{line}: do it, or file it; the code does not keep lists" for line in _lines(UNFINISHED, text)]


def defines_no_macro(path: str, text: str) -> list[str]:
    if path in MACROS_ALLOWED or Path(path).suffix not in (".cpp", ".hpp"):
        return []
    return [f"{path}:{line}: a macro; larder has none" for line in _lines(re.compile(r"^\s*#\s*define\b", re.M), text)]


def uses_no_fence(path: str, text: str) -> list[str]:
    fence = re.compile(r"\batomic_thread_fence\b")
    return [f"{path}:{line}: a fence; order is given where the atomic is used" for line in _lines(fence, text)]


def opens_with_what_it_is(path: str, text: str) -> list[str]:
    if Path(path).suffix != ".hpp":
        return []
    complaints = []
    if not text.startswith("// "):
        complaints.append(f"{path}: a header opens with a paragraph: what it is, threads, ownership")
    if "#pragma once" not in text:
        complaints.append(f"{path}: lacks #pragma once")
    return complaints


def _lines(pattern: re.Pattern, text: str) -> list[int]:
    return [text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)]


RULES = [
    is_short_enough,
    names_no_path_of_a_machine,
    leaves_nothing_unfinished,
    defines_no_macro,
    uses_no_fence,
    opens_with_what_it_is,
]
