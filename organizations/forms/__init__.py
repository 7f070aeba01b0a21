"""The forms of the organization's own pages."""

from organizations.forms.alarms import AlarmsForm
from organizations.forms.handling import done
from organizations.forms.networks import NetworkDeleteForm, NetworkForm

__all__ = ["AlarmsForm", "NetworkDeleteForm", "NetworkForm", "done"]
