"""./dev check: each check is timed, and a failing one shows what it said."""

import re
import sys

import pytest

from tools.checks import Check, passes


def test_a_good_check_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert passes(Check("lint", (sys.executable, "-c", "print('fine')")))

    assert re.fullmatch(r"lint +\d+\.\d s  ok\n", capsys.readouterr().out)


def test_a_failing_check_shows_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert not passes(Check("lint", (sys.executable, "-c", "print('line 3'); raise SystemExit(1)")))

    assert re.fullmatch(r"lint +\d+\.\d s  failed\nline 3\n", capsys.readouterr().out)
