"""Ports: free or not, and who holds them."""

import os

import pytest

from tools.console import Problem
from tools.ports import free_port, holder, is_free, require_free


def test_a_port_with_a_listener_is_not_free_and_its_holder_is_named(taken_port: int) -> None:
    assert not is_free(taken_port)

    told = holder(taken_port)

    assert told.startswith(f"pid {os.getpid()}: ")


def test_a_preferred_port_is_kept_while_it_is_free(taken_port: int) -> None:
    free = free_port()

    assert free_port(preferred=free) == free
    assert free_port(preferred=taken_port) != taken_port


def test_the_refusal_says_which_option_helps(taken_port: int) -> None:
    with pytest.raises(Problem, match=rf"choose another port with --port {taken_port + 1}\."):
        require_free(taken_port, option="--port")
