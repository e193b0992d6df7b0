from octorest import OctoRest

from until import key, number, path, same, until, url

c = OctoRest(url=url, apikey=key)
same(c.version["text"].startswith("OctoPrint"), True, "version text")
same(c.connection_info()["current"]["state"], "Operational", "connection")
done = c.upload(path, path="clients")
where = done["files"]["local"]["path"]
name = where.split("/")[-1]
# octorest 0.4 sends its fields as JSON beside a form, which requests leaves out: the file is at the top.
same(where, name, "path of the upload")
same([f["name"] for f in c.files()["files"] if f["type"] == "machinecode"], [name], "files")
same(c.files_info("local", where)["origin"], "local", "origin")
c.select(where)
same(c.job_info()["job"]["file"]["name"], name, "selected file")
c.start()
until("progress", c.job_info, lambda j: j["state"] == "Printing" and (j["progress"]["completion"] or 0) > 0)
until("heat", lambda: number(c.tool()["tool0"]["target"], "target"), lambda t: t > 0)
number(c.bed()["bed"]["actual"], "bed")
same(c.printer()["state"]["flags"]["printing"], True, "printing")
c.pause()
until("pause", c.state if callable(c.state) else c.job_info, lambda s: s == "Paused")
c.resume()
until("resume", c.state, lambda s: s == "Printing")
c.cancel()
until("end", c.state, lambda s: s == "Operational")
c.tool_target(0)
c.bed_target(0)
c.delete(where)
same([f["name"] for f in c.files()["files"]], [], "files after delete")
print("ok")
