"""As Home Assistant does: a key is asked for and allowed, then it polls, and its buttons are pressed."""
import asyncio

import aiohttp
from pyoctoprintapi import ApiError, OctoprintClient, PrinterOffline
from pyoctoprintapi.exceptions import UnauthorizedException

from until import host, key, number, owner, path, port, same, url


async def refused(kind, order):
    try:
        await order
    except kind:
        return
    raise SystemExit(f"want {kind}")


async def until(what, ask, wanted):
    for _ in range(1200):
        answer = await ask()
        if wanted(answer):
            return answer
        await asyncio.sleep(0.05)
    raise SystemExit(f"no {what}, but {answer._raw}")


async def allow(web):
    """The owner's part, on layerd's page."""
    as_owner = {"Authorization": "Bearer " + owner}
    while True:
        async with web.get(url + "/v1/state", headers=as_owner) as r:
            asking = (await r.json())["asking"]
        if asking:
            break
        await asyncio.sleep(0.05)
    same(asking[0]["app"], "Home Assistant", "who asks")
    async with web.post(url + "/v1/do", headers=as_owner, json={"do": "allow_app", "app": asking[0]["id"], "role": "owner"}) as r:
        same(r.status, 200, "allowing it")


async def main():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as web:
        c = OctoprintClient(host, web, port, False, "/")
        c.set_api_key("wrong")
        for ask in (c.get_job_info, c.get_printer_info, c.get_server_info, c.get_discovery_info):
            await refused(UnauthorizedException, ask())
        allowing = asyncio.create_task(allow(web))
        c.set_api_key(await c.request_app_key("Home Assistant", "anna", 60))
        await allowing

        same((await c.get_server_info()).version, "1.11.8", "version")
        same(len((await c.get_discovery_info()).upnp_uuid), 36, "identity")
        same(await c.get_tracking_info(), None, "tracking")
        cam = await c.get_webcam_info()
        same((cam.enabled, cam.rotate_90, cam.flip_horizontal, isinstance(cam.bitrate, str)), (True, False, False, True), "webcam")
        for picture in (cam.external_snapshot_url, cam.internal_snapshot_url):
            async with web.get(picture) as r:
                same((r.status, r.content_type), (200, "image/jpeg"), "snapshot")

        p = await c.get_printer_info()
        same(({t.name for t in p.temperatures}, p.has_heated_bed, p.state.flags.ready), ({"bed", "tool0"}, True, True), "printer")
        await c.set_bed_temperature(45)
        await c.set_tool_temperature("tool0", 60)
        await until("targets", c.get_printer_info, lambda p: sorted(t.target_temp for t in p.temperatures) == [45, 60])
        await c.turn_bed_off()
        await c.turn_tool_off("tool0")
        for order in (c.set_tool_temperature("tool0", 1000), c.cancel_job(), c.pause_job(), c.restart(), c.shutdown()):
            await refused(ApiError, order)

        form = aiohttp.FormData()
        form.add_field("print", "true")
        with open(path, "rb") as f:
            form.add_field("file", f.read(), filename="ha.gcode")
        async with web.post(url + "/api/files/local", data=form, headers={"X-Api-Key": key}) as r:
            same((r.status, (await r.json())["effectivePrint"]), (201, True), "upload")
        j = await until("progress", c.get_job_info, lambda j: j.state == "Printing" and (j.progress.completion or 0) > 0)
        same((j.job.file.name, j.error), ("ha.gcode", None), "job")
        number(j.progress.print_time, "print time")
        number(j.progress.print_time_left, "time left")
        await c.pause_job()
        await until("pause", c.get_job_info, lambda j: j.state == "Paused")
        await c.resume_job()
        await until("resume", c.get_job_info, lambda j: j.state == "Printing")
        await c.cancel_job()
        await until("end", c.get_job_info, lambda j: j.state == "Operational")
        await c.disconnect()
        await refused(PrinterOffline, c.get_printer_info())
        await c.connect()
        await until("connection", c.get_job_info, lambda j: j.state == "Operational")
        async with web.delete(url + "/api/files/local/ha.gcode", headers={"X-Api-Key": key}) as r:
            same(r.status, 204, "delete")


asyncio.run(main())
print("ok")
