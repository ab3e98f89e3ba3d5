"""Chromium without a window, and what a person can ask of a page in it: how it
looks, what a screen reader is told, and what axe-core finds wrong with it.
"""

import re
from pathlib import Path

from lab import Wrong, devtools
from lab.display import START, Missing, wait_until


class Eyes(devtools.Chromium):
    """One Chromium that looks at pages."""

    def __init__(self, folder: Path, env: dict[str, str]):
        self.events: list[dict] = []
        super().__init__(folder, env, ["--headless", "--window-size=900,1000"], self.events.append)

    def page(self, address: str, dark: bool = False, scripts: bool = True) -> "Page":
        """A tab with this page in it."""
        return Page(self, address, dark, scripts)


class Page(devtools.Page):
    """A page in a tab."""

    def __init__(self, eyes: Eyes, address: str, dark: bool, scripts: bool):
        self.scripts = scripts
        super().__init__(eyes, eyes.ask("Target.createTarget", url="about:blank")["targetId"])
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.ask(f"{domain}.enable")
        self.dark(dark)
        if not scripts:
            self.ask("Emulation.setScriptExecutionDisabled", value=True)
        # Whoever opens a page does not wait for it; one without scripts is never done.
        self.ask("Page.navigate", url=address)

    def text(self) -> str:
        """All that is to be read on it, in the order of a screen reader."""
        if not self.scripts:
            # Chromium makes no tree of a page that is never done loading.
            return re.sub(r"(?s)<style.*?</style>|<script.*?</script>|<[^>]*>", "", self.html())
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        spoken = [n for n in nodes if not n.get("ignored") and n.get("role", {}).get("value") == "StaticText"]
        return "\n".join(node["name"]["value"] for node in spoken)

    def html(self) -> str:
        """Its elements, with what is not to be seen."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        return self.ask("DOM.getOuterHTML", nodeId=root)["outerHTML"]

    def wait_for(self, text: str):
        """Until this is to be read."""
        try:
            wait_until(lambda: text.lower() in self.text().lower(), START, f"{text!r} on the page")
        except Missing as missing:
            raise Wrong(f"{missing}; it says: {self.text()}") from None

    def nodes(self, role: str) -> list[dict]:
        """What a screen reader finds in this role, by name and properties."""
        found = []
        for node in self.ask("Accessibility.getFullAXTree")["nodes"]:
            if not node.get("ignored") and node.get("role", {}).get("value") == role:
                said = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
                found.append({"name": node.get("name", {}).get("value", ""), **said})
        return found

    def press(self, key: str, code: int):
        """A person presses a key."""
        text = {"Enter": "\r"}.get(key)
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def barriers(self, axe: str) -> list[str]:
        """What axe-core finds. It runs in a world of its own: the page's own
        policy lets no other script in."""
        frame = self.ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = self.ask("Page.createIsolatedWorld", frameId=frame, worldName="axe")["executionContextId"]
        self.evaluate(axe + "; 0", contextId=world)
        found = self.evaluate("axe.run(document, { resultTypes: ['violations', 'incomplete'] })", contextId=world)
        if not found["passes"]:
            raise Missing("axe-core looked at nothing")
        kinds = [one for one in found["violations"]]
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}: {one['nodes'][0]['failureSummary']}" for one in kinds]

    def complaints(self) -> list[str]:
        """What the browser says of the page, such as what its policy stopped."""
        said = []
        for event in self.chromium.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                said.append(event["params"]["entry"]["text"] + " " + event["params"]["entry"].get("url", ""))
            if event["method"] == "Runtime.exceptionThrown":
                said.append(str(event["params"]["exceptionDetails"]))
        return said
