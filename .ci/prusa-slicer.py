"""prusa-slicer.py: drives PrusaSlicer as a person does, and judges what it has sent to layerd. For .ci/prusa-slicer."""
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

HOME = "/tmp/home"
LAYERD, RECORDER = 8080, 9000
os.environ.update(HOME=HOME, XDG_RUNTIME_DIR=HOME, LAYERD_DATA=HOME + "/layerd", DISPLAY=":77", LIBGL_ALWAYS_SOFTWARE="1", GDK_BACKEND="x11",
                  LOCPATH="/tmp/locale", LANG="en_US.UTF-8", LC_ALL="en_US.UTF-8")
os.makedirs(HOME)
sent = []  # what came on each connection to RECORDER


def record():
    """Passes connections on to layerd, and keeps what the client writes."""
    def pump(source, sink, keep):
        while data := source.recv(65536):
            keep.extend(data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    door = socket.create_server(("127.0.0.1", RECORDER))
    while True:
        client = door.accept()[0]
        layerd = socket.create_connection(("127.0.0.1", LAYERD))
        sent.append(bytearray())
        for args in ((client, layerd, sent[-1]), (layerd, client, bytearray())):
            threading.Thread(target=pump, args=args, daemon=True).start()


def until(what, look, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        if (found := look()):
            return found
        time.sleep(0.3)
    subprocess.run(["xdotool", "search", "--onlyvisible", "--name", ".", "getwindowname", "%@"])
    sys.exit(f"failed: no {what} in {seconds} s")


def ask(key, method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{LAYERD}{path}", method=method, data=body and json.dumps(body).encode(),
                                     headers={"Authorization": "Bearer " + key, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def start(*command):
    return subprocess.Popen(command, stdout=open(f"{HOME}/{os.path.basename(command[0])}.log", "ab"), stderr=subprocess.STDOUT)


def xdotool(*args):
    return subprocess.run(["xdotool", *args], capture_output=True, text=True).stdout.split()


def window(name):
    return xdotool("search", "--onlyvisible", "--name", name)


def set_up(**printer):
    """A configuration with one printer, as the wizard and the dialogs would have written it."""
    root = HOME + "/.config/PrusaSlicer/"
    host = "".join(f"{k} = {v}\n" for k, v in printer.items())
    for name, text in {
        "PrusaSlicer.ini": "version_check = 0\nnotify_release = none\npreset_update = 0\nshow_splash_screen = 0\nshow_hints = 0\nno_defaults = 1\nview_mode = expert\n"
                           "version_system_info_sent = 2.5.0\n\n[presets]\nfilament = plain\nprint = plain\nprinter = plain\nphysical_printer = layerd\n",
        "printer/plain.ini": "printer_technology = FFF\ngcode_flavor = marlin\nbed_shape = 0x0,220x0,220x220,0x220\n",
        "print/plain.ini": "layer_height = 0.2\n", "filament/plain.ini": "temperature = 200\n",
        "physical_printer/layerd.ini": f'preset_names = "plain"\nprinter_technology = FFF\n{host}',
    }.items():
        os.makedirs(os.path.dirname(root + name), exist_ok=True)
        with open(root + name, "w") as f:
            f.write(text)


def send(name):
    """Slices, and sends under that name by "Upload and Print"."""
    slicer = start("prusa-slicer", HOME + "/cube.stl")
    main = until("window of PrusaSlicer", lambda: window("^PrusaSlicer-"))[-1]
    time.sleep(3)  # it takes keys when it has drawn itself, of which nobody is told
    xdotool("windowactivate", "--sync", main)
    xdotool("key", "ctrl+r")
    time.sleep(3)
    until("dialog", lambda: window("^Send G-Code") or xdotool("key", "ctrl+shift+g"))
    time.sleep(1)
    xdotool("key", "ctrl+a")
    xdotool("type", "--delay", "40", name)
    xdotool("key", "Tab", "Tab", "space")
    return slicer


def judge(key, name, heads):
    """The file has arrived as it was sent, is printed, and the requests had these heads."""
    until("print of " + name, lambda: (job := json.loads(ask(key, "GET", "/api/job")))["state"] == "Printing" and job["job"]["file"]["path"] == name)
    requests = []
    for text in map(bytes, sent):
        while text:
            head, _, text = text.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            n = int(length[1]) if length else 0
            requests.append((head.decode(), text[:n]))
            text = text[n:]
    got = [" ".join([h.split(" HTTP")[0]] + re.findall(r"\r\n([A-Za-z-]+):", h)) for h, _ in requests]
    if got != heads:
        sys.exit("failed: it has sent " + json.dumps(got, indent=1))
    form = requests[-1][1]
    file = form.rsplit(b"\r\n--", 1)[0].partition(b'name="file"')[2].partition(b"\r\n\r\n")[2]
    if not file or ask(key, "GET", "/downloads/files/local/" + urllib.parse.quote(name)) != file:
        sys.exit(f"failed: {name} has not arrived as it was sent")
    print(f"ok: PrusaSlicer has sent {name}, {len(file)} bytes, and it is printed", flush=True)
    ask(key, "POST", "/api/job", {"command": "cancel"})
    until("end of the print", lambda: json.loads(ask(key, "GET", "/api/job"))["state"] == "Operational")
    sent.clear()


threading.Thread(target=record, daemon=True).start()
start(os.environ["LAYERD"], "--demo", "--listen", f"127.0.0.1:{LAYERD}")
start("Xvfb", ":77", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-ac")
until("screen", lambda: os.path.exists("/tmp/.X11-unix/X77"))
start("openbox")
token = [os.environ["LAYERD"], "token", "create", "--name", "test", "--role", "owner"]
owner = until("layerd", lambda: subprocess.run(token, capture_output=True, text=True).stdout.split()[-1:])[0]
until("printer", lambda: json.loads(ask(owner, "GET", "/api/job"))["state"] == "Operational")
made = json.loads(ask(owner, "POST", "/v1/tokens", {"name": "slicer", "role": "operator"}))

corners = [(x, y, z) for x in (0, 20) for y in (0, 20) for z in (0, 20)]
faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
with open(HOME + "/cube.stl", "w") as stl:
    triangles = [t for a, b, c, d in faces for t in ((a, b, c), (a, c, d))]
    corner = "vertex {} {} {}\n".format
    stl.write("solid cube\n" + "".join("facet normal 0 0 0\nouter loop\n" + "".join(corner(*corners[i]) for i in t) + "endloop\nendfacet\n" for t in triangles) + "endsolid cube\n")

here = f"http://127.0.0.1:{RECORDER}"
plain = "Host User-Agent Accept"
set_up(host_type="octoprint", print_host=here, printhost_authorization_type="key", printhost_apikey=made["secret"])
slicer = send("parts/prüfung 1.gcode")
judge(owner, "parts/prüfung 1.gcode", [f"GET /api/version {plain} X-Api-Key", f"POST /api/files/local {plain} X-Api-Key Content-Length Content-Type"])
slicer.kill()
slicer.wait()

set_up(host_type="prusalink", print_host=here, printhost_authorization_type="user", printhost_user=made["token"]["id"], printhost_password=made["digest"])
slicer = send("b.gcode")
login = "Host Authorization User-Agent Accept"
judge(owner, "b.gcode", [f"GET /api/version {plain}", f"GET /api/version {login}", f"POST /api/files/local {plain} Content-Length",
                         f"POST /api/files/local {login} Content-Length Content-Type"])
slicer.kill()
