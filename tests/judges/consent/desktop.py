"""A desktop's two services, as far as a program sees them: notifications with
a hand on their buttons, and fprintd with a finger on its reader.

Both live on the lab's bus, which is system and session bus in one, in a
thread of this process. Whether a real desktop shows what it is given, and a
real reader sees a finger, they cannot say.
"""

import asyncio
import threading
import time
from collections.abc import Callable

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

NOTIFICATIONS, NOTES_PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
FPRINT, READER_PATH = "net.reactivated.Fprint", "/net/reactivated/Fprint/Device/0"
MANAGER, READER = f"{FPRINT}.Manager", f"{FPRINT}.Device"
PATIENCE = 20.0

# What a hand does with a notification: the name and the body of a signal.
Deed = tuple[str, list] | None


class Refused(Exception):
    """An error that the caller gets, by its name."""


def press(key: str) -> Callable[[dict], Deed]:
    """Presses the button with this key, if there is one."""

    def hand(shown: dict) -> Deed:
        return ("ActionInvoked", [shown["id"], key]) if key in shown["actions"][::2] else None

    return hand


def close(reason: int) -> Callable[[dict], Deed]:
    """The notification goes away: 1 by itself, 2 by hand."""
    return lambda shown: ("NotificationClosed", [shown["id"], reason])


def leave(_: dict) -> Deed:
    """Nobody is there."""
    return None


class Desktop:
    """Both services, until it is closed. `hand` is what a person does with
    each notification; `tries` what the reader says, try by try."""

    def __init__(self, address: str, hand=leave, can=("actions", "body"), names=(NOTIFICATIONS, FPRINT), **reader):
        self.hand, self.can = hand, list(can)
        self.shown: list[dict] = []
        self.taken_away: list[int] = []
        self.fingers = reader.get("fingers", ["right-index-finger"])
        self.tries = list(reader.get("tries", []))
        self.is_there, self.claimed_by_another = reader.get("is_there", True), reader.get("claimed_by_another", False)
        self.impostor = reader.get("impostor", False)
        self.reader_log: list[str] = []
        self._address, self._names = address, names
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise RuntimeError("the desktop does not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    def notification(self, timeout: float = PATIENCE) -> dict:
        """The notification that is shown, once there is one."""
        deadline = time.monotonic() + timeout
        while not self.shown:
            if time.monotonic() > deadline:
                raise TimeoutError("no notification was shown")
            time.sleep(0.01)
        return self.shown[-1]

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._begin())
        self._ready.set()
        self._loop.run_forever()
        self.bus.disconnect()
        self.other.disconnect()

    async def _begin(self):
        self.bus = await MessageBus(bus_address=self._address).connect()
        self.other = await MessageBus(bus_address=self._address).connect()
        self.bus.add_message_handler(self._take)
        for name in self._names:
            await self.bus.request_name(name)

    def _take(self, message: Message):
        if message.message_type != MessageType.METHOD_CALL or message.interface not in (NOTIFICATIONS, MANAGER, READER):
            return None
        try:
            signature, body, after = getattr(self, f"_{message.member}")(*message.body)
            self.bus.send(Message.new_method_return(message, signature, body))
            if after:
                self._loop.call_later(0.05, after)
        except Refused as error:
            self.bus.send(Message.new_error(message, str(error), "no"))
        return True

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list, bus: MessageBus | None = None):
        (bus or self.bus).send(Message.new_signal(path, interface, member, signature, body))

    # --- org.freedesktop.Notifications ---

    def _GetCapabilities(self):
        return "as", [self.can], None

    def _Notify(self, app, _replaces, _icon, title, body, actions, hints, expires):
        shown = {"id": 41 + len(self.shown), "app": app, "title": title, "body": body, "actions": actions}
        shown |= {"urgency": hints["urgency"].value, "expires": expires}
        self.shown.append(shown)

        def act():
            if self.impostor:
                self._signal(NOTES_PATH, NOTIFICATIONS, "ActionInvoked", "us", [shown["id"], "approve-0"], self.other)
                # And one about somebody else's notification.
                self._signal(NOTES_PATH, NOTIFICATIONS, "ActionInvoked", "us", [7, "approve-0"])
            if deed := self.hand(shown):
                member, what = deed
                self._signal(NOTES_PATH, NOTIFICATIONS, member, "us" if member == "ActionInvoked" else "uu", what)

        return "u", [shown["id"]], act

    def _CloseNotification(self, id):
        self.taken_away.append(id)
        return "", [], None

    # --- net.reactivated.Fprint ---

    def _log(self, call: str):
        self.reader_log.append(call)

    def _GetDefaultDevice(self):
        if not self.is_there:
            raise Refused(f"{FPRINT}.Error.NoSuchDevice")
        return "o", [READER_PATH], None

    def _ListEnrolledFingers(self, _user):
        if not self.fingers:
            raise Refused(f"{FPRINT}.Error.NoEnrolledPrints")
        return "as", [self.fingers], None

    def _Claim(self, _user):
        self._log("Claim")
        if self.claimed_by_another:
            # Whose finger is just now being found good.
            self._signal(READER_PATH, READER, "VerifyStatus", "sb", ["verify-match", True])
            raise Refused(f"{FPRINT}.Error.AlreadyInUse")
        return "", [], None

    def _VerifyStart(self, finger):
        self._log(f"VerifyStart {finger}")
        said = self.tries.pop(0) if self.tries else []

        def touch():
            if self.impostor:
                self._signal(READER_PATH, READER, "VerifyStatus", "sb", ["verify-match", True], self.other)
            for word in said:
                done = word not in ("verify-retry-scan", "verify-swipe-too-short")
                self._signal(READER_PATH, READER, "VerifyStatus", "sb", [word, done])

        return "", [], touch

    def _VerifyStop(self):
        self._log("VerifyStop")
        return "", [], None

    def _Release(self):
        self._log("Release")
        return "", [], None
