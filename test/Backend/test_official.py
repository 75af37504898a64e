"""The official ONNX tests against the scoreboard: passes.txt must pass, others.txt names every other one and why.

A test that is lost or gained fails here; utils/scoreboard.py --update brings the two files up to date.
"""

import pytest

import official


@pytest.fixture(scope="module")
def server(package):
    server = official.Server(package)
    yield server
    server.close()


@pytest.mark.parametrize("name", official.read_passes())
def test_passes(server, name):
    reason = server.run(name)
    assert reason is None, f"{name} is lost: {reason}"


@pytest.mark.parametrize("name", official.read_others())
def test_is_listed_with_its_reason(server, name):
    reason = server.run(name)
    if reason is None:
        pytest.fail(f"{name} passes now; utils/scoreboard.py --update adds it to the expected passes")
    pytest.xfail(reason)


def test_scoreboard_is_complete(package):
    passes, others = official.read_passes(), official.read_others()
    assert passes == sorted(set(passes)) and list(others) == sorted(others), "the scoreboard is not sorted"
    assert not set(passes) & set(others), "a test is in both files"
    assert set(passes) | set(others) == set(official.load_tests())
