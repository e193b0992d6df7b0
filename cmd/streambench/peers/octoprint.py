"""Prints a file with OctoPrint: the whole server as it is installed, without a browser that looks at it.

Its comm layer alone could be driven too (octoprint.util.comm.MachineCom), but it is the server that people run: what its other
threads cost a line is part of the answer. What is set is in its favour: the log of the serial line is off, as by default, nobody
watches the page, and the plug-ins that would ask the internet for news are off. See streamer.go for the words on standard
input and output.
"""
import argparse
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("--port", default="/dev/null")
parser.add_argument("--baud", type=int, default=115200)
parser.add_argument("--file", required=True)
parser.add_argument("--only-configure", action="store_true", help="say the address, the key and the folder of a server, which stands beside --file and is not started")
args = parser.parse_args()

PATIENCE = 150  # seconds, for the server to come up on a busy machine

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    http_port = s.getsockname()[1]
key = secrets.token_hex(16)
base = os.path.join(os.path.dirname(os.path.abspath(args.file)), "octoprint")
os.mkdir(base)
config = {
    "server": {
        "host": "127.0.0.1",
        "port": http_port,
        "firstRun": False,
        "onlineCheck": {"enabled": False},
        "pluginBlacklist": {"enabled": False},
    },
    "api": {"key": key},
    "serial": {
        "port": args.port,
        "baudrate": args.baud,
        "additionalPorts": [args.port],
        "additionalBaudrates": [args.baud],
        "autoconnect": False,
        "log": False,
    },
    "webcam": {"timelapseEnabled": False},
    "plugins": {
        "_disabled": ["announcements", "discovery", "errortracking", "firmware_check", "pi_support", "pluginmanager", "softwareupdate", "tracking"]
    },
}
with open(os.path.join(base, "config.yaml"), "w") as out:
    json.dump(config, out)  # which is YAML as well
if args.only_configure:
    sys.exit(print(f"http://127.0.0.1:{http_port}", key, base))


def ask(method, path, body=None, kind="application/json"):
    request = urllib.request.Request(f"http://127.0.0.1:{http_port}{path}", data=body, method=method)
    request.add_header("X-Api-Key", key)
    if body is not None:
        request.add_header("Content-Type", kind)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def do(path, **command):
    return ask("POST", path, json.dumps(command).encode())


def wait(what, ok, every=0.25):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if ok():
                return
        except (OSError, http.client.HTTPException):  # it is not up yet
            pass
        if server.poll() is not None:
            sys.exit(f"OctoPrint ended before {what}")
        if time.monotonic() > until:
            sys.exit(f"OctoPrint: no {what} in {PATIENCE} s; its log is\n" + open(os.path.join(base, "logs", "octoprint.log")).read()[-4000:])
        time.sleep(every)


def state():
    return ask("GET", "/api/printer?exclude=temperature,sd")["state"]["flags"]


def upload():
    edge = secrets.token_hex(16)
    with open(args.file, "rb") as job:
        content = job.read()
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="job.gcode"\r\nContent-Type: application/octet-stream\r\n\r\n'
    ask("POST", "/api/files/local", head.encode() + content + f"\r\n--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}")


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server goes along
server = subprocess.Popen(
    [os.path.join(os.path.dirname(sys.executable), "octoprint"), "serve", "--basedir", base, "--iknowwhatimdoing", "--host", "127.0.0.1", "--port", str(http_port)],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
try:
    wait("answer", lambda: ask("GET", "/api/version"))
    upload()
    # Its own look at the file would run beside the print.
    wait("analysis of the file", lambda: "gcodeAnalysis" in ask("GET", "/api/files/local/job.gcode"))
    do("/api/connection", command="connect", port=args.port, baudrate=args.baud)
    wait("connection", lambda: state()["operational"])
    do("/api/files/local/job.gcode", command="select", print=False)
    time.sleep(2)  # what follows a connection: questions, temperatures, log entries

    print("ready", server.pid, f"http://127.0.0.1:{http_port}", key, flush=True)
    sys.stdin.readline()
    do("/api/job", command="start")
    while True:
        job = ask("GET", "/api/job")
        if "Error" in job["state"] or "Offline" in job["state"]:
            sys.exit(f"OctoPrint: {job['state']}")
        if job["progress"]["completion"] == 100 and state()["ready"]:
            break
        time.sleep(1)
    print("done", flush=True)
    sys.stdin.readline()
finally:
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
    shutil.rmtree(base, ignore_errors=True)
