"""As Home Assistant does: by HTTP Digest, and nothing but that."""
import asyncio

import httpx
from pyprusalink import PrusaLink
from pyprusalink.types import Conflict, InvalidAuth, NotFound, PrinterState

from until import number, password, path, same, url, user


async def until(what, ask, wanted):
    for _ in range(1200):
        answer = await ask()
        if wanted(answer):
            return answer
        await asyncio.sleep(0.05)
    raise SystemExit(f"no {what}, but {answer}")


async def refused(kind, order):
    try:
        await order
    except kind:
        return
    raise SystemExit(f"want {kind}")


async def main():
    async with httpx.AsyncClient() as client:
        await refused(InvalidAuth, PrusaLink(client, url, user, "wrong").get_version())
        c = PrusaLink(client, url, user, password)
        v = await c.get_version()
        same(tuple(int(n) for n in v["api"].split(".")) >= (2, 0, 0), True, "api")
        same(v["text"].startswith("PrusaLink"), True, "text")
        same(isinstance(v["hostname"], str) and v["hostname"] != "", True, "hostname")
        info = await c.get_info()
        number(info["nozzle_diameter"], "nozzle diameter")
        same(await c.get_job(), None, "job of an idle printer")
        same(await c.get_transfer(), None, "transfer")
        same((await c.get_storage())[0]["path"], "/local", "storage")
        legacy = await c.get_legacy_printer()
        number(legacy["temperature"]["tool0"]["actual"], "tool0")
        same(legacy["telemetry"]["material"], "---", "material")  # Home Assistant fails without one

        # Home Assistant only watches; what it watches is sent by the same Digest, as PrusaSlicer sends it.
        with open(path, "rb") as f:
            sent = await client.put(url + "/api/v1/files/local/ha/part.gcode", content=f.read(), headers={"Print-After-Upload": "?1"}, auth=httpx.DigestAuth(user, password))
        same(sent.status_code, 201, "upload")
        job = await until("progress", c.get_job, lambda j: j is not None and j["state"] == "PRINTING" and j["progress"] > 0)
        same(job["file"]["display_name"], "part.gcode", "file")
        state = lambda: status(c)
        same(await state(), PrinterState.PRINTING, "state")
        await refused(NotFound, c.pause_job(job["id"] + 1))
        await c.pause_job(job["id"])
        await until("pause", state, lambda s: s == PrinterState.PAUSED)
        await refused(Conflict, c.pause_job(job["id"]))
        await c.resume_job(job["id"])
        await until("resume", state, lambda s: s == PrinterState.PRINTING)
        await c.cancel_job(job["id"])
        await until("end", state, lambda s: s == PrinterState.STOPPED)
        gone = await client.delete(url + "/api/v1/files/local/ha", headers={"Force": "?1"}, auth=httpx.DigestAuth(user, password))
        same(gone.status_code, 204, "delete")


async def status(c):
    s = await c.get_status()
    number(s["printer"]["temp_bed"], "bed")
    return PrinterState(s["printer"]["state"])


asyncio.run(main())
print("ok")
