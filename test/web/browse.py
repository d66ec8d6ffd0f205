#!/usr/bin/env python3
"""Drives a headless Chromium over its debugging pipe: waits for what the page says, asks it, takes pictures.

Usage: browse.py [--size WxH] [--dark] [--limit SECONDS] URL STEP...
  wait:EXPRESSION    until it is true (20 seconds at most, or --limit)
  eval:EXPRESSION    prints its value as JSON, one line; promises are awaited
  shot:FILE          a picture of the window          full:FILE   of the whole page
Afterwards what went wrong in the page (exceptions, console errors, policy violations) is printed, one line each
beginning with "console:". Exit status 1 when a step failed, 2 without a chromium. Nothing but loopback is reached.
"""
import argparse
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time


class Browser:
    def __init__(self, program, profile):
        down, self.out = os.pipe()
        self.into, up = os.pipe()

        def wire():
            # The browser reads commands from 3 and writes answers to 4.
            read, write = os.dup(down), os.dup(up)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
             "--disable-background-networking", f"--user-data-dir={profile}",
             "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost", "about:blank"],
            preexec_fn=wire, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(down)
        os.close(up)
        self.number = 0
        self.rest = b""
        self.session = None
        self.console = []

    def message(self):
        while b"\0" not in self.rest:
            data = os.read(self.into, 1 << 16)
            if not data:
                sys.exit("browse.py: the browser is gone")
            self.rest += data
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        call = {"id": self.number, "method": method, "params": params}
        if self.session:
            call["sessionId"] = self.session
        os.write(self.out, json.dumps(call).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"browse.py: {method}: {answer['error']}")
                return answer["result"]
            self.hear(answer)

    def hear(self, event):
        params = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.console.append(details.get("exception", {}).get("description") or details["text"])
        elif event.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.console.append(" ".join(str(arg.get("value", arg.get("description"))) for arg in params["args"]))
        elif event.get("method") == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.console.append(params["entry"]["text"])

    def open(self, size, is_dark, url):
        width, height = map(int, size.split("x"))
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=url)

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True,
                           userGesture=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            return None, details.get("exception", {}).get("description") or details["text"]
        return answer["result"].get("value"), None

    def picture(self, path, is_whole):
        clip = {}
        if is_whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=is_whole, **clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))


def step(browser, text, limit):
    """False when it failed."""
    kind, _, rest = text.partition(":")
    if kind == "wait":
        end = time.monotonic() + limit
        problem = None
        while time.monotonic() < end:
            value, problem = browser.evaluate(rest)
            if value:
                return True
            time.sleep(0.1)
        print(f"waited in vain for {rest}" + (f": {problem}" if problem else ""), file=sys.stderr)
        return False
    if kind == "eval":
        value, problem = browser.evaluate(rest)
        print(json.dumps(value) if problem is None else f"failed: {problem}", flush=True)
        return problem is None
    if kind in ("shot", "full"):
        browser.picture(rest, kind == "full")
        return True
    sys.exit(f"browse.py: no such step: {kind}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="1440x900")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--limit", type=float, default=20)
    parser.add_argument("url")
    parser.add_argument("steps", nargs="*")
    options = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        sys.exit(2)
    profile = tempfile.mkdtemp(prefix="pgmend-browser-")
    browser = Browser(program, profile)
    try:
        browser.open(options.size, options.dark, options.url)
        is_good = all(step(browser, text, options.limit) for text in options.steps)
        browser.evaluate("0")
    finally:
        os.killpg(browser.process.pid, signal.SIGKILL)
        browser.process.wait()
        shutil.rmtree(profile, ignore_errors=True)
    for line in browser.console:
        print("console:", line.replace("\n", " "))
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
