"""A desktop's screen saver service on the session bus: python -m tests.app.ui.screen_saver.

Tells on standard output each inhibition that comes and goes.
"""

import sys

from PySide6.QtCore import QCoreApplication
from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher, QDBusVirtualObject

NAME, PATH = "org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"


class ScreenSaver(QDBusVirtualObject):
    def introspect(self, _path: str) -> str:
        return ""

    def handleMessage(self, message, connection) -> bool:
        say(" ".join([message.member(), *message.arguments()]))
        self._watcher = QDBusServiceWatcher(message.service(), connection)
        self._watcher.serviceUnregistered.connect(lambda _name: say("let go"))
        return connection.send(message.createReply([77]))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    application = QCoreApplication(sys.argv)
    bus = QDBusConnection.sessionBus()
    saver = ScreenSaver()
    assert bus.registerVirtualObject(PATH, saver)
    assert bus.registerService(NAME)
    say("ready")
    application.exec()


if __name__ == "__main__":
    main()
