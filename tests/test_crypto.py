"""Encryption at rest."""

import pytest

from organizations import crypto


def test_a_text_comes_back_for_its_own_row_only() -> None:
    sealed = crypto.encrypt("secret", bound_to="row 1")

    assert crypto.decrypt(sealed, bound_to="row 1") == "secret"
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(sealed, bound_to="row 2")
