"""What all tests share: no screen, loopback only, one thread each for the heavy libraries."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
