"""clients.py ADDRESS: prints what Home Assistant's packages find on the LAN where this machine has that address, for forty seconds."""
import asyncio
import sys

from async_upnp_client.advertisement import SsdpAdvertisementListener
from async_upnp_client.search import async_search
from zeroconf import ServiceBrowser, Zeroconf

here = (sys.argv[1], 0)


def changed(zeroconf, service_type, name, state_change):
    info = zeroconf.get_service_info(service_type, name, 3000) if state_change.name == "Added" else None
    said = [info.parsed_addresses(), info.port, *(f"{k}={info.decoded_properties[k]}" for k in ("path", "uuid", "version"))] if info else []
    print(state_change.name, name, *said, flush=True)


async def found(headers):
    print("search", headers["st"], headers["location"], flush=True)


async def announced(headers):
    print(headers["nts"], headers["nt"], headers.get("location"), flush=True)


async def main():
    listener = SsdpAdvertisementListener(async_on_alive=announced, async_on_byebye=announced, async_on_update=announced, source=here)
    await listener.async_start()
    await async_search(found, timeout=3, search_target="upnp:rootdevice", source=here)
    await asyncio.sleep(37)  # NOTIFY comes every 30 s
    await listener.async_stop()


zeroconf = Zeroconf(interfaces=[sys.argv[1]])
ServiceBrowser(zeroconf, ["_octoprint._tcp.local.", "_http._tcp.local."], handlers=[changed])
asyncio.run(main())
zeroconf.close()
