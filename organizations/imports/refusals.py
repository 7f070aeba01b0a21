"""Why a file cannot be read, and why an import cannot go on; each says what to do."""

from __future__ import annotations

from organizations.refusals import Conflict, Refusal

AS_CSV = "Save it as “CSV UTF-8” or as .xlsx and upload it again."


class FileWrong(Refusal):
    code = "file_wrong"
    field = "file"


class NotWaiting(Conflict):
    code = "import_not_waiting"

    def __init__(self, state: str) -> None:
        super().__init__(
            f"This import does not wait for a confirmation; its state is “{state}”. Upload the file"
            " again to begin anew."
        )


class NothingToImport(Refusal):
    code = "nothing_to_import"

    def __init__(self) -> None:
        super().__init__("Every row of this file has an error. Mend the file and upload it again.")


class ManyMissing(Conflict):
    """`who` came with an earlier file; `outcome` says what confirming does to them."""

    code = "many_missing"

    def __init__(self, who: str, outcome: str) -> None:
        super().__init__(
            f"{who} came with an earlier file are not in this one, which is said to be the whole"
            f" list. Confirm that they are to be {outcome}, or upload the file again without saying"
            " so."
        )
