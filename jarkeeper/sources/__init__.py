"""Other people's logs: what AWS saw of the vault, joined with what the audit trail holds.

`joined` and what it stands on are pure; `findings` reads the logs and asks it.
"""
