"""Alerts: who is told of an incident, in which steps, in which words, through which channels."""

from jarkeeper.alerts.channels import Channel, open_channels
from jarkeeper.alerts.deliver import Delivery, deliver
from jarkeeper.alerts.plan import Plan, parse_plan, read_plan
from jarkeeper.alerts.words import Message, message_of, test_message

__all__ = [
    "Channel",
    "Delivery",
    "Message",
    "Plan",
    "deliver",
    "message_of",
    "open_channels",
    "parse_plan",
    "read_plan",
    "test_message",
]
