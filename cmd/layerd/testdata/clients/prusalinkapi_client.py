"""A status display: HTTP Digest, and the metadata of what is printed."""
import requests
from prusalinkapi import PrusaLink
from requests.auth import HTTPDigestAuth

from until import host, number, password, path, port, same, until, url, user

c = PrusaLink(f"{host}:{port}", user, password)
same(c.filename, "Not Printing", "file of an idle printer")
for what in (c.temp_bed, c.target_bed, c.temp_nozzle, c.target_nozzle, c.fan_hotend, c.fan_print, c.flow, c.axis_z, c.speed):
    number(what, "status")
digest = HTTPDigestAuth(user, password)
with open(path, "rb") as f:
    same(requests.put(url + "/api/v1/files/local/display.gcode", data=f.read() + b"; filament_type = PLA\n", headers={"Print-After-Upload": "?1"}, auth=digest).status_code, 201, "upload")
until("progress", lambda: (c.printer_state, c.progress), lambda a: a[0] == "PRINTING" and a[1] > 0)
same((c.filename, c.material), ("display.gcode", "PLA"), "job")
number(c.time_printing, "time")
number(c.time_remaining, "time left")
job = requests.get(url + "/api/v1/job", auth=digest).json()
same(requests.delete(url + f"/api/v1/job/{job['id']}", auth=digest).status_code, 204, "stop")
until("end", lambda: c.printer_state, lambda s: s == "STOPPED")
same(requests.delete(url + "/api/v1/files/local/display.gcode", auth=digest).status_code, 204, "delete")
print("ok")
