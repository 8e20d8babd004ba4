import signal

# Whoever starts the tests in the background may ignore Ctrl-C; the programs under test must not
# inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
