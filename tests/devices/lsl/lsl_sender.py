"""A real LSL sender in a process of its own: one gaze stream until killed."""

import json
import sys
import time

import pylsl

from devices.lsl.streams import LOOPBACK_CONFIG


def describe(info: pylsl.StreamInfo, channels: list[dict[str, str]]) -> None:
    element = info.desc().append_child("channels")
    for channel in channels:
        child = element.append_child("channel")
        for key, value in channel.items():
            child.append_child_value(key, value)


def main() -> None:
    plan = json.loads(sys.argv[1])
    pylsl.set_config_content(LOOPBACK_CONFIG)
    values = plan["values"]
    info = pylsl.StreamInfo(
        plan["name"],
        plan.get("type", "Gaze"),
        len(values),
        plan.get("nominal_hz", 0.0),
        plan.get("format", "double64"),
        plan.get("source_id", plan["name"]),
    )
    describe(info, plan["channels"])
    outlet = pylsl.StreamOutlet(info)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    period_s = 1 / plan.get("rate_hz", 100.0)
    due = started = time.monotonic()
    shift_s = 0.0
    while True:
        if due - started > plan.get("reset_after_s", 1e9):
            shift_s = plan["reset_by_s"]
        now_s = pylsl.local_clock()
        if plan.get("tells_time"):
            values[-1] = now_s  # the instant, whatever the stamp says
        outlet.push_sample(values, now_s + shift_s)
        due += period_s
        time.sleep(max(due - time.monotonic(), 0))


if __name__ == "__main__":
    main()
