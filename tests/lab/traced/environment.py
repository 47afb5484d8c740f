import os
import socket
import sys

print(__name__, __file__, sys.argv, sys.path[0], len(sys.path), sys.flags.dont_write_bytecode)
print({name: value for name, value in os.environ.items() if "PYTHON" in name or "TRACE" in name})
print(socket.socket().fileno(), open(__file__).fileno(), print, input, sys.stdout, sys.stdin)
print("lab_tracer" in sys.modules, sys.getrecursionlimit())


def recurse(n):
    recurse(n + 1)


recurse(0)
