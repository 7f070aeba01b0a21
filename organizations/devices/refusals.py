"""What cannot be done to devices, and why."""

from __future__ import annotations

from organizations.refusals import Conflict, Refusal


class NoDevices(Conflict):
    code = "no_devices"

    def __init__(self) -> None:
        super().__init__(
            "None of these devices is here any more, or none is yours to change. Choose others."
        )


class NetworkElsewhere(Refusal):
    code = "network_elsewhere"
    field = "network"

    def __init__(self) -> None:
        super().__init__("That network is not in this organization. Choose one of its networks.")


class OwnerElsewhere(Refusal):
    code = "owner_elsewhere"
    field = "owner"

    def __init__(self) -> None:
        super().__init__("That owner is not in this organization. Choose one of its owners.")


class DepartureUnclear(Refusal):
    code = "departure_unclear"
    field = "choice"

    def __init__(self) -> None:
        super().__init__("Say what becomes of the licenses: now, later or keep.")


class DaysWrong(Refusal):
    code = "days_wrong"
    field = "days"

    def __init__(self, most: int) -> None:
        super().__init__(f"Say after how many days: between 1 and {most}.")


class SaidBetter(Conflict):
    code = "said_better"

    def __init__(self, field: str, label: str, source: str) -> None:
        super().__init__(
            f"{label} comes from a better source ({source}), which would change it back."
            " Leave it as it is."
        )
        self.field = field


class ValueWrong(Refusal):
    code = "value_wrong"

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class SerialTaken(Conflict):
    code = "serial_number_taken"
    field = "serial_number"

    def __init__(self, serial_number: str) -> None:
        super().__init__(
            f"The device with the serial number {serial_number} is in this organization already."
            " Look for it in the list of devices."
        )
