"""What all of these scripts need: where layerd is, and waiting. Their arguments are HOST PORT KEY USER PASSWORD FILE OWNER, whose key is an owner's."""
import sys
import time

host, port, key, user, password, path, owner = sys.argv[1], int(sys.argv[2]), *sys.argv[3:8]
url = f"http://{host}:{port}"


def until(what, ask, wanted, patience=60):
    """Asks until the answer is wanted, and returns it."""
    end = time.monotonic() + patience
    while True:
        answer = ask()
        if wanted(answer):
            return answer
        if time.monotonic() > end:
            raise SystemExit(f"no {what}, but {answer}")
        time.sleep(0.05)


def same(got, want, what):
    if got != want:
        raise SystemExit(f"{what}: got {got!r}, want {want!r}")


def number(got, what):
    if not isinstance(got, (int, float)) or isinstance(got, bool):
        raise SystemExit(f"{what}: got {got!r}, want a number")
    return got
