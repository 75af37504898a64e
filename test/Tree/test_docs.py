"""Documentation that says what the tree says."""

import re
import subprocess
import sys

import pytest

DIALECTS = ("Graph", "Analog", "Digital", "Tile")


def test_readme_names_the_two_commands(source):
    text = (source / "README.md").read_text()
    for script in ("utils/demo.sh", "utils/test.sh"):
        assert (source / script).stat().st_mode & 0o100, f"{script} is not executable"
        assert script in text


def test_links_lead_somewhere(source):
    wrong = []
    for page in [source / "README.md", *source.glob("docs/**/*.md"), *source.glob("examples/**/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                wrong.append(f"{page.relative_to(source)}: {target}")
    assert not wrong, "\n".join(wrong)


def test_named_files_exist(source):
    """A path of the tree in backquotes is there (patterns and build outputs apart)."""
    wrong = []
    for page in [source / "README.md", *source.glob("docs/*.md")]:
        for name in re.findall(
            r"`((?:include|lib|tools|test|utils|docs|examples|third_party)/[\w./-]+)`", page.read_text()
        ):
            if not (source / name).exists():
                wrong.append(f"{page.relative_to(source)}: {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialect_page_is_fresh(source, dialect):
    made = subprocess.run(
        [source / "utils/dialect-docs.sh", dialect], capture_output=True, text=True, check=True, cwd=source
    ).stdout
    page = source / "docs" / "Dialects" / f"{dialect}.md"
    assert page.read_text() == made, f"{page.name} is stale; run utils/dialect-docs.sh"


def test_scripts_parse(source):
    for script in [*source.glob("utils/*.sh"), *source.glob("third_party/*.sh"), source / ".ci/run"]:
        subprocess.run(["bash", "-n", script], check=True)


def test_operators_page_is_fresh(source, bin_folder):
    script = source / "utils" / "operators-doc.py"
    made = subprocess.run(
        [sys.executable, script, "--print"],
        capture_output=True,
        text=True,
        check=True,
        env={"MHO_BIN": str(bin_folder), "PATH": "/usr/bin:/bin"},
    ).stdout
    assert (source / "docs" / "Operators.md").read_text() == made, "stale; run utils/operators-doc.py"
