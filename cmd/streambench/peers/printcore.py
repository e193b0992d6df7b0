"""Prints a file with Printrun's printcore, the sender inside Pronterface and pronsole, by itself and without their windows.

It is driven as Printrun's own printcore.py does it, with its lighter reader of files, and no call-backs are set: that is the
fastest that printcore can be. See streamer.go for the words on standard input and output.
"""
import argparse
import os
import sys
import time

from printrun import gcoder
from printrun.printcore import printcore

parser = argparse.ArgumentParser()
parser.add_argument("--port", required=True)
parser.add_argument("--baud", type=int, required=True)
parser.add_argument("--file", required=True)
args = parser.parse_args()

printer = printcore(args.port, args.baud)
while not printer.online:
    time.sleep(0.05)
with open(args.file) as lines:
    job = gcoder.LightGCode([line.strip() for line in lines])

print("ready", os.getpid(), flush=True)
sys.stdin.readline()
if not printer.startprint(job):
    sys.exit("printcore did not start")
while printer.printing:
    time.sleep(0.05)
print("done", flush=True)
sys.stdin.readline()
printer.disconnect()
