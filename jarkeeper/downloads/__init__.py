"""Downloads: a request goes in, receipts come out; the same core under commands and flows."""
