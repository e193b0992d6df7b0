"""klipperctl, by its command line, and the library moonraker-client under it."""
import os
import subprocess
import sys

from moonraker_client import MoonrakerClient

from until import number, owner, path, same, until, url


def ctl(*args):
    done = subprocess.run([sys.executable, "-c", "from klipperctl.cli import cli; cli()", "--url", url, "--api-key", owner, "--no-color", *args], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def says(wanted, *args):
    code, said = ctl(*args)
    if code != 0 or wanted not in said:
        raise SystemExit(f"{args}: {code} {said}")


name = os.path.basename(path)
c = MoonrakerClient(url, api_key=owner)


def stats():
    return c.printer_objects_query({"print_stats": None, "virtual_sdcard": None})["status"]


says("ready", "server", "info")
says("heater_bed", "printer", "temps")
says("extruder", "printer", "status")
says("OK", "printer", "gcode", "M105")
says("Uploaded", "files", "upload", path)
says(name, "files", "list")
says("Slicer: ", "files", "info", name)
says("Created", "files", "mkdir", "gcodes/ctl")
says("Copied", "files", "copy", "gcodes/" + name, "gcodes/ctl/two.gcode")
says("Moved", "files", "move", "gcodes/ctl/two.gcode", "gcodes/ctl/three.gcode")
says("LAYER_CHANGE", "files", "download", name)
says("started", "print", "start", name)
until("progress", stats, lambda s: s["print_stats"]["state"] == "printing" and s["virtual_sdcard"]["progress"] > 0)
says("printing", "print", "progress")
says(name, "printer", "status")
same(ctl("printer", "restart")[0] != 0, True, "a print is not ended by restart")
says("paused", "print", "pause")
until("pause", stats, lambda s: s["print_stats"]["state"] == "paused")
says("resumed", "print", "resume")
until("resume", stats, lambda s: s["print_stats"]["state"] == "printing")
says("cancelled", "print", "cancel", "--yes")
until("end", stats, lambda s: s["print_stats"]["state"] == "cancelled")
says(name[:8], "history", "list")
says("Deleted", "files", "delete", "--yes", "ctl/three.gcode")
says("Deleted", "files", "rmdir", "--yes", "gcodes/ctl")
says("restarted", "printer", "firmware-restart")
until("printer", c.server_info, lambda i: i["klippy_state"] == "ready")

known = c.files_directory("gcodes", extended=True)
same(([f["filename"] for f in known["files"]], "ctl" in [d["dirname"] for d in known["dirs"]]), ([name], False), "a folder")
number(known["files"][0]["estimated_time"], "estimated time")
number(known["disk_usage"]["free"], "free space")
until("delete", lambda: ctl("files", "delete", "--yes", name), lambda a: a[0] == 0)
print("ok")
