"""Rules of the include graph. Each takes a Tree and returns its complaints as
sentences: what is where, and what to do."""

from modules import Tree, includes

UMBRELLA = "larder/larder.hpp"  # includes them all, and belongs to no folder

# What must hold whatever the CMakeLists.txt say: docs/architecture.md gives the reasons.
SEES_AT_MOST = {
    "base": {"base"},
    "memory": {"base", "memory"},
    "resp": {"base", "resp"},
    "cache": {"base", "runtime", "memory", "cache"},
}


def folders_depend_downwards(tree: Tree) -> list[str]:
    complaints = []
    for place, name in enumerate(tree.order):
        for other in tree.modules[name].depends:
            if other not in tree.order[:place]:
                complaints.append(
                    f"src/{name} depends on {other}, which does not stand before it in src/CMakeLists.txt: "
                    "a folder sees only those above it"
                )
        allowed = SEES_AT_MOST.get(name)
        if allowed and not tree.sees(name) <= allowed:
            extra = ", ".join(sorted(tree.sees(name) - allowed))
            complaints.append(f"src/{name} may see {', '.join(sorted(allowed))} and nothing else, but sees {extra}")
    return complaints


def every_public_header_has_an_owner(tree: Tree) -> list[str]:
    complaints = []
    for path in tree.public_headers():
        header = path.relative_to(tree.root / "include").as_posix()
        if header != UMBRELLA and tree.owner(header) is None:
            complaints.append(
                f"{tree.relative(path)} belongs to no folder: name it after HEADERS in the larder_module() of the "
                "folder that stands behind it"
            )
    for module in tree.modules.values():
        for header in module.headers:
            if not (tree.root / "include" / header).exists():
                complaints.append(f"src/{module.name}/CMakeLists.txt names {header}, which does not exist")
    return complaints


def files_include_only_what_their_folder_sees(tree: Tree) -> list[str]:
    complaints = []
    for name in tree.order:
        for path in tree.files_of(name):
            complaints += _complaints_of(tree, path, name)
    return complaints


def public_headers_include_only_public_headers(tree: Tree) -> list[str]:
    complaints = []
    for path in tree.public_headers():
        header = path.relative_to(tree.root / "include").as_posix()
        for included in includes(path):
            if not included.startswith("larder/"):
                complaints.append(
                    f'{tree.relative(path)} includes "{included}": a public header includes public headers only'
                )
        owner = tree.owner(header)
        if owner:
            complaints += _complaints_of(tree, path, owner)
    return complaints


def includes_name_files_that_exist(tree: Tree) -> list[str]:
    complaints = []
    files = tree.public_headers() + [path for name in tree.order for path in tree.files_of(name)]
    for path in files:
        for included in includes(path):
            if not any((tree.root / base / included).exists() for base in ("include", "src")):
                complaints.append(
                    f'{tree.relative(path)} includes "{included}", which is neither in include/ nor in src/: '
                    "headers are named from there"
                )
    return complaints


def headers_have_no_cycle(tree: Tree) -> list[str]:
    graph: dict[str, list[str]] = {}
    for path in tree.public_headers():
        graph[path.relative_to(tree.root / "include").as_posix()] = includes(path)
    for name in tree.order:
        for path in tree.files_of(name):
            graph[path.relative_to(tree.root / "src").as_posix()] = includes(path)

    finished: set[str] = set()

    def search(header: str, way: list[str]) -> list[str]:
        if header in way:
            return [" → ".join(way[way.index(header) :] + [header]) + ": these headers include each other"]
        if header in finished:
            return []
        found = [c for included in graph.get(header, []) for c in search(included, way + [header])]
        finished.add(header)
        return found

    return [complaint for header in graph for complaint in search(header, [])]


def _complaints_of(tree: Tree, path, folder: str) -> list[str]:
    complaints = []
    seen = tree.sees(folder)
    for included in includes(path):
        owner = tree.owner(included) if included.startswith("larder/") else included.split("/")[0]
        if owner in tree.modules and owner not in seen:
            complaints.append(
                f'{tree.relative(path)} includes "{included}" of {owner}, on which {folder} does not depend'
            )
    return complaints


RULES = [
    folders_depend_downwards,
    every_public_header_has_an_owner,
    files_include_only_what_their_folder_sees,
    public_headers_include_only_public_headers,
    includes_name_files_that_exist,
    headers_have_no_cycle,
]
