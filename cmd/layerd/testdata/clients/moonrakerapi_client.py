"""Uploads as slicers do, then watches as Home Assistant does."""
import asyncio
import os

import requests
from moonraker_api import MoonrakerClient, MoonrakerListener

from until import host, key, number, path, port, same, url

with open(path, "rb") as f:
    r = requests.post(url + "/server/files/upload", headers={"X-Api-Key": key}, data={"root": "gcodes", "path": "klipper", "print": "false"}, files={"file": ("part.gcode", f)})
same((r.status_code, r.json()["result"]["item"]["path"], r.json()["result"]["print_started"]), (201, "klipper/part.gcode", False), "upload")


class Listener(MoonrakerListener):
    def __init__(self):
        self.heard = asyncio.Queue()

    async def on_notification(self, method, data):
        await self.heard.put((method, data))


async def told(listener, what, wanted):
    async with asyncio.timeout(60):
        while True:
            method, data = await listener.heard.get()
            if method == what and wanted(data):
                return data


async def main():
    wrong = MoonrakerClient(Listener(), host, port, api_key="wrong")
    try:
        await wrong.connect()
        raise SystemExit("a wrong key was taken")
    except Exception as e:
        same(type(e).__name__, "ClientNotAuthenticatedError", "a wrong key")
    finally:
        await wrong.disconnect()
        await wrong.session.close()

    listener = Listener()
    c = MoonrakerClient(listener, host, port, api_key=key)
    same(await c.connect(), True, "connect")
    same(await c.get_klipper_status(), "ready", "klippy state")
    number(await c.get_websocket_id() and (await c.get_websocket_id())["websocket_id"], "websocket id")
    info = await c.get_host_info()
    same((info["state"], info["hostname"] != ""), ("ready", True), "printer info")
    names = await c.get_supported_modules()
    same({"print_stats", "virtual_sdcard", "extruder", "heater_bed", "fan", "toolhead"} <= set(names), True, "objects")
    meta = await c.call_method("server.files.metadata", filename="klipper/part.gcode")
    same((meta["size"], isinstance(meta["thumbnails"], list)), (os.path.getsize(path), True), "metadata")
    number(meta["estimated_time"], "estimated time")
    same((await c.call_method("machine.system_info"))["system_info"]["cpu_info"], {}, "system info")
    same("error" in await c.call_method("server.spoolman.get_spool_id"), True, "what there is not")
    number((await c.call_method("server.history.totals"))["job_totals"]["total_print_time"], "totals")
    same(isinstance((await c.call_method("server.webcams.list"))["webcams"], list), True, "webcams")

    sub = await c.call_method("printer.objects.subscribe", objects={"print_stats": None, "virtual_sdcard": None, "extruder": ["temperature", "target"], "heater_bed": None})
    number(sub["status"]["extruder"]["temperature"], "nozzle")
    same(await c.call_method("printer.print.start", filename="klipper/part.gcode"), "ok", "start")
    await told(listener, "notify_status_update", lambda d: d[0].get("print_stats", {}).get("state") == "printing")
    await told(listener, "notify_status_update", lambda d: d[0].get("virtual_sdcard", {}).get("progress", 0) > 0)
    q = await c.call_method("printer.objects.query", objects={"print_stats": ["state", "filename", "print_duration"], "display_status": ["progress"], "system_stats": ["memavail"], "toolhead": ["position"]})
    same(q["status"]["print_stats"]["filename"], "klipper/part.gcode", "filename")
    number(q["status"]["toolhead"]["position"].__len__(), "position")
    for order, state in (("pause", "paused"), ("resume", "printing"), ("cancel", "cancelled")):
        same(await c.call_method("printer.print." + order), "ok", order)
        await told(listener, "notify_status_update", lambda d: d[0].get("print_stats", {}).get("state") == state)
    # The printer is done with a print before layerd has written its end.
    gone = await c.call_method("server.files.delete_file", path="gcodes/klipper/part.gcode")
    same(gone.get("action"), "delete_file", "delete")
    await told(listener, "notify_filelist_changed", lambda d: d[0]["action"] == "delete_file")
    await c.disconnect()
    await c.session.close()


asyncio.run(main())
print("ok")
