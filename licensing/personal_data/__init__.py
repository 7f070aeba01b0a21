"""One person's data: given out whole, and erased.

whose     which rows are about an owner
exporting everything of them in one object
planning  what erasing would do and cannot do, as the page says before
erasing   doing it: at Apple by batches, here at once
traces    rows of other things that name the person, emptied
"""

from licensing.personal_data.erasing import erase
from licensing.personal_data.exporting import export
from licensing.personal_data.planning import Erasure, plan_erasure

__all__ = ["Erasure", "erase", "export", "plan_erasure"]
