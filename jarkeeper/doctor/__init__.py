"""The doctor: is this machine fit to keep a vault and to download with it?"""

from jarkeeper.doctor.examination import examine, examine_machine, worst_first

__all__ = ["examine", "examine_machine", "worst_first"]
