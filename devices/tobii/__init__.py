"""Tobii's screen-based trackers through Tobii's own SDK (tobii-research).

The SDK is made for Python 3.10 only. `session` talks with it and runs where it imports: in this
process, or in `bridge`, a process under a Python 3.10 interpreter that has it. Both are homes
(`homes`) of the same session; `tracker` is the `Tracker` on top of either.

This package imports nothing by itself, so that the bridge, under Python 3.10 with nothing but the
standard library, can load its own two files from here.
"""
