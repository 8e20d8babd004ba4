"""AWS: clients, and what their failures mean. Imported only where a setting names a bucket or key.

boto3 is loaded when the first client is made.
"""

from jarkeeper.aws.clients import Clients
from jarkeeper.aws.failures import Failure, failure_of

__all__ = ["Clients", "Failure", "failure_of"]
