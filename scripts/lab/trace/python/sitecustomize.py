"""Starts the tracer in a Python program.

Python imports `sitecustomize` from PYTHONPATH before it runs the program itself, as it always does:
so `__main__`, `sys.argv`, `sys.path[0]`, the depth of the stack, Ctrl-C and the exit status are those of
a program that is not traced. This file then leaves no trace of how it was found."""
import os
import sys


def _start():
    config = os.environ.pop("LAB_TRACE", None)
    folder = os.path.dirname(os.path.abspath(__file__))
    own = {folder, os.path.normcase(folder)}
    before = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    after = [path for path in before if os.path.normcase(os.path.abspath(path or ".")) not in own]
    if after:
        os.environ["PYTHONPATH"] = os.pathsep.join(after)
    else:
        os.environ.pop("PYTHONPATH", None)
    if config is not None:
        try:
            import lab_tracer
            lab_tracer.start(config)
        except Exception:  # the program runs all the same, and its missing events tell
            pass
        sys.modules.pop("lab_tracer", None)
    sys.path[:] = [path for path in sys.path if os.path.normcase(os.path.abspath(path)) not in own]
    sys.path_importer_cache.pop(folder, None)
    # The machine may have a sitecustomize of its own, which this one has hidden.
    this = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        sys.modules["sitecustomize"] = this


_start()
