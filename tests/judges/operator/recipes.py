"""Real sign-ins through HAProxy, nginx and Caddy, each by its recipe, and two
relays behind them."""

import time
from functools import partial

from lab import Site, Wrong
from parties import PATIENCE
from proxies import PROXIES, Proxy, front, seconds
from sockets import Client, Refused, carries

SOURCE, OTHER = "127.0.0.5", "127.0.0.6"
# Relays that hold nobody back, where the proxy is to be seen doing it.
OPEN_HANDED = "per-source-waiting = 1000\nper-source-total = 1000\nper-source-rate = 1000\nper-source-burst = 1000"
MANY = 128
"""What each recipe lets one source hold open."""


def sign_in(kind: type[Proxy]):
    """Our computer and our phone make a passkey and use it, through the proxy."""
    with front(kind, radio=True) as world:
        lab, proxy, site = world.lab, world.proxy, Site()
        phone = lab.phone()
        for verb, options, verdict in (
            ("create", site.creation, site.registered),
            ("get", site.request, site.signed_in),
            ("get", site.request, site.signed_in),
        ):
            computer = lab.desktop(verb, options(), relay=proxy)
            scan = phone.scan(computer.code(), relay=proxy)
            verdict(computer.result())
            scan.expect(0)
        opened, joined = (told(world, what, 3) for what in ("opened", "joined"))
        if sum(joined) != 3 or opened != joined:
            raise Wrong(f"the relays saw {opened} tunnels opened and {joined} joined")
        return f"tunnels at each relay: {joined}"


def told(world, what: str, number: int) -> list[int]:
    """How many events of this kind each relay has told of, once all are here:
    what a relay has said is read a moment later."""
    count = [len(node.events(what)) for node in world.nodes]
    until = time.monotonic() + PATIENCE
    while sum(count) < number and time.monotonic() < until:
        time.sleep(0.02)
        count = [len(node.events(what)) for node in world.nodes]
    return count


def routes(kind: type[Proxy]):
    """Whoever joins a tunnel reaches the relay at which it waits, in whatever
    case; what is nobody's is refused, and not by the proxy's own fault."""
    with front(kind) as world:
        client = Client(world.lab, world.proxy)
        at = []
        for change in (str.lower, str.upper) * 4:
            phone, tunnel, routing_id = client.open()
            at.append(int(routing_id, 16) // 64)
            computer = client.dial(f"/cable/connect/{change(routing_id)}/{change(tunnel)}")
            carries(phone, computer)
            computer.close()
            phone.close()
        joined = told(world, "joined", len(at))
        if joined != [at.count(0), at.count(1)] or 0 in joined:
            raise Wrong(f"the routing ids say {at}, the relays saw {joined} joined")
        phone, tunnel, routing_id = client.open()
        other = f"{int(routing_id, 16) ^ 64:06x}"
        nowhere = {
            f"/cable/connect/{other}/{tunnel}": "the other relay",
            f"/cable/connect/00ff40/{tunnel}": "no relay",
            f"/cable/connect/ffffff/{tunnel}": "no routing id",
            "/cable/contact/AAAA": "a contact",
            "/metrics": "what is not for everybody",
            "/healthz": "nor this",
            "/readyz": "nor this",
        }
        for path, what in nowhere.items():
            if (status := client.refused(path)) != 404:
                raise Wrong(f"{what}, {path}: {status}, not 404")
        carries(phone, client.dial(f"/cable/connect/{routing_id}/{tunnel}"))


def source(kind: type[Proxy]):
    """The relay counts by the client's address, not the proxy's, and by nobody's
    own word about it."""
    with front(kind, "per-source-waiting = 2") as world:
        at = Client(world.lab, world.proxy, SOURCE)
        held, refused = [], 0
        # Two at each of two relays, wherever the proxy sends them.
        for number in range(12):
            forged = f"192.0.2.{number}"
            tunnel = f"/cable/new/{number:032x}"
            try:
                held.append(at.dial(tunnel, X_Forwarded_For=forged, Forwarded=f"for={forged}"))
            except Refused as no:
                if no.status != 429:
                    raise
                refused += 1
        if not 2 <= len(held) <= 4 or refused != 12 - len(held):
            raise Wrong(f"one source holds {len(held)} tunnels at two relays that allow two each")
        Client(world.lab, world.proxy, OTHER).open()[0].close()
        return f"one source held {len(held)} and was refused {refused} times"


def cap(kind: type[Proxy]):
    """The proxy itself lets one source hold so many, and others go on."""
    with front(kind, OPEN_HANDED) as world:
        one = Client(world.lab, world.proxy, SOURCE)
        held = [one.open()[0] for _ in range(MANY)]
        try:
            one.open()
        except Refused as no:
            said = no.status or "no answer"
        else:
            raise Wrong(f"one source holds {MANY + 1} tunnels")
        # What they tell may be on its way yet.
        deadline = time.monotonic() + PATIENCE
        while sum(len(node.events("opened")) for node in world.nodes) < MANY and time.monotonic() < deadline:
            time.sleep(0.02)
        if (refusals := [node.events("refused") for node in world.nodes]) != [[], []]:
            raise Wrong(f"the relays refused, not {kind.name}: {refusals}")
        Client(world.lab, world.proxy, OTHER).open()[0].close()
        for phone in held:
            phone.close()
        return f"number {MANY + 1}: {said}"


def draining(kind: type[Proxy]):
    """A relay behind the proxy drains: whoever waits there can still be joined,
    and phones are sent to the other."""
    with front(kind) as world:
        client = Client(world.lab, world.proxy)
        phone, tunnel, routing_id = client.open()
        goes = int(routing_id, 16) // 64
        world.nodes[goes].run.process.terminate()
        world.nodes[goes].event("draining")
        if not kind.asks_another:
            until_noticed(client)
        # Held, so that the one that drains would be the less busy one.
        held = [client.open() for _ in range(8)]
        if goes in [int(elsewhere, 16) // 64 for _, _, elsewhere in held]:
            raise Wrong("a phone was let in at a relay that drains")
        computer = client.dial(f"/cable/connect/{routing_id}/{tunnel}")
        carries(phone, computer)
        computer.close()
        phone.close()
        world.nodes[goes].run.expect(0)


def until_noticed(client: Client):
    """Waits for a proxy that has to find out that a relay drains: until it lets
    eight phones in. They are held, so that the one that drains is the less
    busy one and would be chosen."""
    deadline, held = time.monotonic() + PATIENCE, []
    while len(held) < 8:
        if time.monotonic() > deadline:
            raise Wrong("phones are still sent to a relay that drains")
        try:
            held.append(client.open()[0])
        except Refused as no:
            if no.status != 503:
                raise
            while held:
                held.pop().close()
            time.sleep(0.3)
    for phone in held:
        phone.close()


def patience(kind: type[Proxy], recipe: str, pattern: str):
    """A phone that says nothing for longer than proxies' defaults is still
    there, and the recipe is more patient than the relay."""
    # Nothing passes: no ping in this time.
    with front(kind, "ping = 85\nwaiting = 85") as world:
        client = Client(world.lab, world.proxy)
        phone, tunnel, routing_id = client.open()
        quiet = 75.0
        try:
            said = phone.receive(quiet)
            raise Wrong(f"the phone that waited was cut off: {said}")
        except TimeoutError:
            pass
        carries(phone, client.dial(f"/cable/connect/{routing_id}/{tunnel}"))
    if pattern and (allowed := seconds(recipe, pattern)) < 90 + 180:
        raise Wrong(f"{recipe}: {pattern} is {allowed} s, less than a tunnel may last")
    return f"{quiet:.0f} s of silence"


CASES = {}
for _kind in PROXIES:
    CASES[f"{_kind.name}-sign-in"] = partial(sign_in, _kind)
    CASES[f"{_kind.name}-routes"] = partial(routes, _kind)
    CASES[f"{_kind.name}-source"] = partial(source, _kind)
    CASES[f"{_kind.name}-draining"] = partial(draining, _kind)
    # Caddy counts nobody.
    if _kind.name != "caddy":
        CASES[f"{_kind.name}-cap"] = partial(cap, _kind)
LONG = {
    f"{_kind.name}-patience": partial(patience, _kind, recipe, pattern)
    for _kind, recipe, pattern in zip(
        PROXIES,
        ("haproxy/haproxy.cfg", "nginx/cablecar-relay.conf", "caddy/Caddyfile"),
        ("timeout tunnel", "proxy_read_timeout", ""),
        strict=True,
    )
}
