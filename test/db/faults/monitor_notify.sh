#!/bin/bash
# Sinks of the monitor that answer, refuse, hang, lie and cut off: see monitor_notify.py.
exec python3 "$(dirname "$0")/monitor_notify.py"
