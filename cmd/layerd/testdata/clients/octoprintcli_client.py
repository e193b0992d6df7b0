"""octoprint-cli, by its command line. It sends the name of its file as a second file."""
import os
import subprocess
import sys
import tempfile

import requests

from until import owner, path, same, until, url

config = tempfile.NamedTemporaryFile("w", suffix=".ini")
config.write(f"[preferences]\nUpdateCheck = false\n[server]\nServerAddress = {url}\nApiKey = {owner}\n")
config.flush()


def cli(*args):
    done = subprocess.run([sys.executable, "-c", "from octoprint_cli.__main__ import main; main()", "--config", config.name, *args], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def says(wanted, *args):
    code, said = cli(*args)
    if code != 0 or wanted not in said:
        raise SystemExit(f"{args}: {code} {said}")


says("OctoPrint v1.11.8", "version")
says("Operational", "connection", "status")
says("Printer Operational", "print", "status")
says("Extruder temp set to 60", "temp", "extruder", "60")
says("Extruder Target: ", "temp", "status")
says("Bed temp set to 0", "temp", "bed", "0")
says("", "gcode", "M117 hello")
says("File uploaded", "files", "upload", path)
name = os.path.basename(path)


def state():
    return requests.get(url + "/api/job", headers={"X-Api-Key": owner}).json()["state"]


says(name, "files", "list")
says("Type: machinecode", "files", "info", name)
says("has been loaded", "print", "select", name)
same(cli("print", "select", "none.gcode")[0], 1, "a file that is not there")
says("Starting print", "print", "start")
until("print", state, lambda s: s == "Printing")
until("progress", lambda: cli("print", "status"), lambda a: "Printing" in a[1] and "Progress: " in a[1])
says("Current Layer: ", "layers")
says("pausing", "print", "pause")
until("pause", state, lambda s: s == "Paused")
says("Paused", "print", "status")
says("resuming", "print", "resume")
until("resume", state, lambda s: s == "Printing")
says("cancelling", "print", "cancel")
until("end", state, lambda s: s == "Operational")
same(cli("print", "cancel")[0], 1, "cancelling nothing")
says("disconnected", "connection", "disconnect")
same("not operational" in cli("temp", "status")[1], True, "temperatures without a printer")

# The port that it was at is offered again, and may be named.
ports = requests.get(url + "/api/connection", headers={"X-Api-Key": owner}).json()["options"]["ports"]
says("Printer connected", "connection", "connect", "-p", ports[0], "-b", "115200")
until("connection", state, lambda s: s == "Operational")
same(requests.delete(url + "/api/files/local/" + name, headers={"X-Api-Key": owner}).status_code, 204, "delete")
print("ok")
