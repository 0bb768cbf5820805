"""Code that is broken on purpose fits the code as it is: else nothing would be broken, and nothing proved."""

import pytest

from tests.faults.mutants import MUTANTS, Mutant
from tests.house.sources import text


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_mutant_breaks_is_there_once(mutant: Mutant) -> None:
    """`make mutants` takes half an hour: it must not end with a mutant that was never made."""
    assert text(mutant.file).count(mutant.search) == 1
    assert mutant.tests or mutant.campaign
