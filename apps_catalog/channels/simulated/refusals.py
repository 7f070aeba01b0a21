"""Why something is not done to the simulated fleet, in words for people."""

from organizations.refusals import Conflict, Refusal


class ShareUnknown(Refusal):
    code = "share_unknown"
    field = "percent"

    def __init__(self) -> None:
        super().__init__("A share of devices is a whole number from 1 to 100 percent.")


class FaultUnknown(Refusal):
    code = "fault_unknown"
    field = "fault"

    def __init__(self) -> None:
        super().__init__("There is no such switch. Choose one of those on the page.")


class NotSimulated(Conflict):
    code = "not_simulated"

    def __init__(self) -> None:
        super().__init__(
            "This organization reaches its devices in another way. Choose “Simulated fleet” as its"
            " device channel first."
        )
