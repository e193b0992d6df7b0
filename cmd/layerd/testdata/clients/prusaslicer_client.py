"""What PrusaSlicer asks of a PrusaLink host, in its order, by a library that is not ours. Its user and password are asked for by 401."""
import requests
from requests.auth import HTTPDigestAuth

from until import key, password, path, same, until, url, user

for way in ({"headers": {"X-Api-Key": key}}, {"auth": HTTPDigestAuth(user, password)}):
    v = requests.get(url + "/api/version", **way)
    same((v.status_code, v.json()["capabilities"]["upload-by-put"]), (200, True), "version")
    same(v.json()["text"].startswith(("PrusaLink", "OctoPrint")), True, "text")
    s = requests.get(url + "/api/v1/storage", **way).json()["storage_list"][0]
    same((s["path"], s["available"], s["read_only"], isinstance(s["free_space"], int)), ("/local", True, False, True), "storage")
    with open(path, "rb") as f:
        more = dict(way)
        more["headers"] = dict(way.get("headers", {}), **{"Content-Type": "text/x.gcode", "Overwrite": "?1", "Accept": "application/json"})
        r = requests.put(url + "/api/v1/files/local/slicer/my%20part.gcode", data=f.read(), **more)
    same((r.status_code, r.json()["name"]), (201, "my part.gcode"), "upload")
    with open(path, "rb") as f:
        more["headers"]["Print-After-Upload"] = "?1"
        r = requests.put(url + "/api/v1/files/local/slicer/my%20part.gcode", data=f.read(), **more)
    same(r.status_code, 201, "upload and print")
    job = until("progress", lambda: requests.get(url + "/api/v1/job", **way), lambda j: j.status_code == 200 and j.json()["state"] == "PRINTING" and j.json()["progress"] > 0).json()
    same(requests.delete(url + f"/api/v1/job/{job['id']}", **way).status_code, 204, "stop")
    until("end", lambda: requests.get(url + "/api/v1/job", **way).status_code, lambda code: code == 204)
    until("delete", lambda: requests.delete(url + "/api/v1/files/local/slicer/my%20part.gcode", **way).status_code, lambda code: code == 204)
same(requests.get(url + "/api/version").headers["WWW-Authenticate"].split()[0], "Digest", "challenge")
same(requests.get(url + "/api/version", auth=HTTPDigestAuth(user, "wrong")).status_code, 401, "a wrong password")
print("ok")
