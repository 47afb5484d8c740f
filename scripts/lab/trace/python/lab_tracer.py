"""Reports what a Python program does with sockets, its keyboard and its screen.

The events are lines of JSON in a file; ../event.ts describes them. The program prints and does what
it would without the tracer. The methods of `socket.socket` are replaced, so `socketserver`, `select`,
threads and asyncio's selector event loop are traced as well."""
import _thread
import atexit
import errno
import io
import os
import socket
import sys
import weakref
from binascii import b2a_base64
from itertools import count
from time import time

try:
    from _json import encode_basestring_ascii as quote  # `json` takes milliseconds to import
except ImportError:
    from json import dumps as quote


def field(name, text):
    """A field of an event with a text."""
    return b',"%s":%s' % (name, quote(text).encode())


C = socket.socket.__mro__[1]  # the class in C, whose methods do the work
TCP, UDP = "tcp", "udp"
MAX_DATA = 65536  # bytes of one send or receive that an event holds
MAX_PLACES = 1000
MAX_TEXT = 8192  # characters of one print that an event holds
PEEK = getattr(socket, "MSG_PEEK", 0)
CALM = 1.0  # seconds without a call, after which a burst is over: longer than a busy machine stops a program
COUNTED = 1000  # calls that are left out before they are reported together
MAIN_THREAD = _thread.get_ident()
get_ident, get_frame, write = _thread.get_ident, sys._getframe, os.write
# A call with one of these errors has done nothing: a program with non-blocking sockets tries again.
NOT_YET = (BlockingIOError, InterruptedError)


class Log:
    """Writes events to the file, each with one write, so that threads and processes can share it."""

    def __init__(self, path, limit, burst):
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self.fd = _high(os.open(path, flags))
        self.process = b""
        self.left = limit  # bytes that may be written
        self.prints_left = limit // 4  # a program that prints without end leaves room for the rest
        self.burst = self.calls_left = burst  # calls in a row that are reported one by one
        self.last = 0.0  # when the last call began
        self.unheard = []  # the screens that a burst prints to, whose prints are not looked at until it is over
        self.counts = [0, 0, 0, 0]  # calls that sent, bytes sent, calls that received, bytes received

    def write(self, kind, at, place, rest=b""):
        if self.left <= 0:
            return
        ident = get_ident()
        if ident != MAIN_THREAD or self.process:
            thread = b"" if ident == MAIN_THREAD else b',"thread":%d' % ident
            place = self.process + thread + place
        # The time in milliseconds, from microseconds: Python is slow to write so long a fraction.
        data = b'{"kind":"%s","at":%de-3%s%s}\n' % (kind, at * 1e6, place, rest)
        self.left -= len(data)
        try:
            write(self.fd, data)
            if self.left <= 0:
                write(self.fd, b'{"kind":"truncated","at":%de-3}\n' % (at * 1e6))
        except OSError:
            pass


    def is_burst(self, at):
        """Whether there were so many calls in a row that this one is only counted."""
        before, self.last = self.last, at
        if self.calls_left > 0:
            self.calls_left -= 1
            return False
        if at - before < CALM:
            if self.counts[0] + self.counts[2] >= COUNTED:
                self.report_counts()
            return True
        self.calls_left = self.burst
        self.report_counts()
        for stream, write in self.unheard:
            stream.write = write
        self.unheard.clear()
        return False

    def report_counts(self):
        if any(self.counts):
            fields = b',"sends":%d,"sentBytes":%d,"receives":%d,"receivedBytes":%d' % tuple(self.counts)
            self.counts[:] = [0, 0, 0, 0]
            self.write(b"skipped", time(), b"", fields)


def _high(fd):
    """Moves a file descriptor out of the way, so that the program's own have their usual numbers."""
    try:
        import fcntl
        moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200)
    except (ImportError, OSError):
        return fd
    os.close(fd)
    return moved


class Socket:
    """What is known of a socket of the program."""

    __slots__ = ("number", "prefix", "transport", "is_traced", "is_closed", "connecting", "ref")

    def __init__(self, number, transport, is_traced):
        self.number = number
        self.transport = transport
        self.prefix = b',"socket":%d,"transport":"%s"' % (number, transport.encode())
        self.is_traced = is_traced
        self.is_closed = False
        self.connecting = None  # the address, while a non-blocking connect is under way


def start(config):
    """Reads the configuration, and replaces what is to be traced."""
    config = dict(line.split("=", 1) for line in config.split("\n"))
    log = Log(config["events"], int(config["limit"]), int(config["burst"]))
    is_burst, counts = log.is_burst, log.counts
    within = os.path.normcase(os.path.realpath(config["within"]))
    ports = dict(map(int, pair.split(":")) for pair in config["ports"].split())
    to_loopback = config["toLoopback"] == "true"
    any_port = config["anyPort"] == "true"

    # Where: the nearest line of the program's own files.
    heads = {}  # by the file names of code: how the fields begin; None for others, b"" for the event loop
    places = {}  # by code object and instruction: the fields, and the code object, which must not be another one

    def head_of(path):
        head = None
        full = os.path.realpath(path)
        case = os.path.normcase(full)
        if case == within or case.startswith(os.path.join(within, "")) and "site-packages" not in full:
            name = os.path.basename(full) if case == within else os.path.relpath(full, within)
            head = field(b"file", name.replace(os.sep, "/")) + b',"line":'
        elif path.endswith("base_events.py") and "asyncio" in path:
            head = b""  # the event loop: its caller does not run now
        heads[path] = head
        return head

    def place():
        frame = get_frame(2)
        while frame is not None:
            code = frame.f_code
            key = (id(code), frame.f_lasti)
            found = places.get(key)
            if found is not None:
                return found[0]
            path = code.co_filename
            head = heads[path] if path in heads else head_of(path)
            if head:
                where = head + b"%d" % frame.f_lineno
                if len(places) < MAX_PLACES:
                    places[key] = (where, code)
                return where
            if head == b"" and code.co_name == "_run_once":
                break
            frame = frame.f_back
        return b""

    # What the program has printed of a line that is not finished yet.
    pending = {}
    NOTHING = (0, b"", "")

    def flush(stream=None):
        for name in [stream] if stream else list(pending):
            at, where, text = pending.pop(name, NOTHING)
            if text:
                rest = b',"stream":"%s"' % name.encode() + field(b"text", text[:MAX_TEXT])
                log.prints_left -= len(rest) + 100
                if log.prints_left > 0:
                    log.write(b"print", at, where, rest)

    def emit(kind, at, where, state, rest=b""):
        if pending:
            flush()
        log.write(kind, at, where, state.prefix + rest)

    # Sockets

    states = {}
    numbers = count(1)
    ignored = set()  # the threads that make a pair of sockets, which Windows connects over TCP

    def state_of(sock):
        state = states.get(id(sock))
        if state is None:
            key = id(sock)
            family, kind = C.family.__get__(sock), C.type.__get__(sock)
            is_traced = family in (socket.AF_INET, socket.AF_INET6) and _thread.get_ident() not in ignored
            transport = UDP if kind & 0xF == socket.SOCK_DGRAM else TCP
            state = Socket(next(numbers) if is_traced else 0, transport, is_traced)

            def forgotten(_):
                states.pop(key, None)
                if is_traced and not state.is_closed:
                    emit(b"close", time(), b"", state)

            state.ref = weakref.ref(sock, forgotten)
            states[key] = state
        return state

    # Addresses: those that the program uses, and those that it sees.

    shown_addresses = {}
    shown_ports = {to: port for port, to in ports.items()}

    def actual(sock, address, is_bind=False):
        """The address to use in place of the one that the program gives."""
        if not isinstance(address, tuple) or len(address) < 2:
            return address
        host, port = address[:2]
        to_port = ports.get(port, 0 if is_bind and any_port else port) if isinstance(port, int) else port
        to_host = host
        if to_loopback and isinstance(host, str) and is_remote(host):
            to_host = "::1" if C.family.__get__(sock) == socket.AF_INET6 else "127.0.0.1"
        if to_port != port or to_host != host:
            if to_host != host:
                shown_addresses[to_host, to_port] = (resolved(host), port)
            return (to_host, to_port) + address[2:]
        return address

    def is_remote(host):
        if host in ("", "localhost", "0.0.0.0", "::", "::1") or host.startswith("127."):
            return False
        return not 224 <= int(host.split(".")[0]) < 240 if host[:3].isdigit() else True

    def resolved(host):
        try:
            return socket.gethostbyname(host) if ":" not in host else host
        except OSError:
            return "127.0.0.1"

    def shown(address):
        """The address that the program would see without the tracer."""
        if not isinstance(address, tuple) or len(address) < 2:
            return address
        host, port = address[:2]
        if (host, port) in shown_addresses:
            return shown_addresses[host, port] + address[2:]
        return (host, shown_ports.get(port, port)) + address[2:]

    def named(name, address):
        if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[1], int):
            return b""
        return b',"%s":{"host":%s,"port":%d}' % (name, quote(str(address[0])).encode(), address[1])

    def both(name, address, real):
        return named(name, address) + (named(b"actual", real) if real != address else b"")

    def failed(error):
        if isinstance(error, socket.timeout):
            return field(b"error", "ETIMEDOUT")
        return failed_with(getattr(error, "errno", None), type(error).__name__)

    def failed_with(number, name="error"):
        return field(b"error", errno.errorcode.get(number, name))

    def held(data, length):
        if len(data) > length or length > MAX_DATA:
            data = data[:min(length, MAX_DATA)]
        return b',"length":%d,"data":"%s"' % (length, b2a_base64(data, newline=False))

    # The methods. Sent data has the time before the call, received data the time after it: so the
    # times of two programs are in the order of cause and effect.

    def replace(name):
        original = getattr(socket.socket, name)

        def install(wrapper):
            wrapper.__name__ = name
            wrapper.__qualname__ = "socket." + name
            wrapper.__doc__ = original.__doc__
            setattr(socket.socket, name, wrapper)
            return wrapper

        return lambda make: install(make(original))

    @replace("bind")
    def _(original):
        def bind(sock, *args):
            state = state_of(sock)
            if not state.is_traced or len(args) != 1:
                return original(sock, *args)
            address = args[0]
            real = actual(sock, address, is_bind=True)
            if state.transport == TCP and os.name == "posix":
                C.setsockopt(sock, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            at, where = time(), place()
            try:
                original(sock, real)
            except Exception as error:
                emit(b"bind", at, where, state, both(b"local", address, real) + failed(error))
                raise
            real = C.getsockname(sock)
            if any_port and address[1] not in (0, real[1]):
                ports[address[1]] = real[1]  # for its own connections to this port
                shown_ports[real[1]] = address[1]
            if real[0] in ("127.0.0.1", "::1") and to_loopback and is_remote(address[0]):
                shown_addresses[real[:2]] = (resolved(address[0]), shown(real)[1])
            emit(b"bind", at, where, state, both(b"local", shown(real), real))
        return bind

    @replace("listen")
    def _(original):
        def listen(sock, *args):
            state = state_of(sock)
            if not state.is_traced:
                return original(sock, *args)
            at, where = time(), place()
            try:
                original(sock, *args)
            except Exception as error:
                emit(b"listen", at, where, state, failed(error))
                raise
            real = C.getsockname(sock)
            emit(b"listen", at, where, state, both(b"local", shown(real), real))
        return listen

    @replace("_accept")
    def _(original):
        def _accept(sock):
            state = state_of(sock)
            if not state.is_traced:
                return original(sock)
            where = place()
            if C.gettimeout(sock) != 0:
                emit(b"accept", time(), where, state, b',"isWaiting":true')
            try:
                fd, address = original(sock)
            except NOT_YET:
                raise
            except BaseException as error:
                emit(b"accept", time(), where, state, failed(error))
                raise
            accepted[_thread.get_ident()] = (time(), where, state, address)
            return fd, shown(address)
        return _accept

    accepted = {}  # by thread: what _accept has got, until accept() has made a socket of it

    @replace("__init__")
    def _(original):
        def __init__(sock, *args, **kwargs):
            original(sock, *args, **kwargs)
            found = accepted.pop(_thread.get_ident(), None)
            if found:
                at, where, state, address = found
                connection = state_of(sock)
                rest = b',"accepted":%d' % connection.number + both(b"peer", shown(address), address)
                emit(b"accept", at, where, state, rest)
        return __init__

    def connects(name):
        @replace(name)
        def _(original):
            def connect(sock, *args):
                state = state_of(sock)
                if not state.is_traced or len(args) != 1:
                    return original(sock, *args)
                address = args[0]
                real = actual(sock, address)
                at, where = time(), place()
                peer = field(b"call", name) + both(b"peer", address, real)
                if state.transport == TCP:
                    emit(b"connect", at, where, state, b',"isWaiting":true' + peer)
                try:
                    result = original(sock, real)
                except NOT_YET:
                    state.connecting = peer
                    raise
                except BaseException as error:
                    emit(b"connect", at, where, state, peer + failed(error))
                    raise
                if result in (errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0) or -1):
                    state.connecting = peer
                else:
                    emit(b"connect", at, where, state, peer + (failed_with(result) if result else b""))
                return result
            return connect

    connects("connect")
    connects("connect_ex")

    @replace("getsockopt")
    def _(original):
        def getsockopt(sock, *args):
            value = original(sock, *args)
            if args == (socket.SOL_SOCKET, socket.SO_ERROR):
                connected(state_of(sock), value, place())
            return value
        return getsockopt

    def connected(state, error=0, where=b""):
        """Reports the end of a non-blocking connect."""
        peer, state.connecting = state.connecting, None
        if peer is not None:
            emit(b"connect", time(), where, state, peer + (failed_with(error) if error else b""))

    def sends(name):
        call = field(b"call", name)

        @replace(name)
        def _(original):
            def send(sock, *args):
                state = states.get(id(sock)) or state_of(sock)
                if not state.is_traced:
                    return original(sock, *args)
                at = time()
                has_peer = name == "sendto" and len(args) > 1
                if is_burst(at):
                    if has_peer:
                        args = args[:-1] + (actual(sock, args[-1]),)
                    result = original(sock, *args)
                    counts[0] += 1
                    counts[1] += len(args[0]) if result is None else result
                    return result
                rest = call
                if has_peer:
                    real = actual(sock, args[-1])
                    rest += both(b"peer", args[-1], real)
                    args = args[:-1] + (real,)
                if state.connecting is not None:
                    connected(state)
                where = place()
                try:
                    result = original(sock, *args)
                except BaseException as error:
                    if not isinstance(error, NOT_YET):
                        emit(b"send", at, where, state, rest + failed(error))
                    raise
                data = args[0]
                if name == "sendmsg":
                    data = b"".join(bytes(part) for part in data)
                elif not isinstance(data, bytes):
                    data = memoryview(data).cast("B")
                length = len(data) if result is None else result
                emit(b"send", at, where, state, rest + held(data, length))
                return result
            return send

    sends("send")
    sends("sendall")
    sends("sendto")
    if hasattr(C, "sendmsg"):
        sends("sendmsg")

    def receives(name):
        is_into, has_peer = name.endswith("_into"), name.startswith("recvfrom")
        call = field(b"call", name) + b',"size":'

        @replace(name)
        def _(original):
            def receive(sock, *args, **kwargs):
                state = states.get(id(sock)) or state_of(sock)
                if not state.is_traced:
                    return original(sock, *args, **kwargs)
                at = time()
                if is_burst(at):
                    result = original(sock, *args, **kwargs)
                    data = result[0] if has_peer else result
                    counts[2] += 1
                    counts[3] += data if is_into else len(data)
                    return (data, shown(result[1])) if has_peer else result
                if is_into:
                    buffer = args[0] if args else kwargs.get("buffer", b"")
                    size = args[1] if len(args) > 1 else kwargs.get("nbytes", 0)
                    size = size or memoryview(buffer).nbytes
                else:
                    size = args[0] if args and isinstance(args[0], int) else 0
                where = place()
                rest = b"%s%d" % (call, size)
                if state.connecting is not None:
                    connected(state)
                if C.gettimeout(sock) != 0:
                    emit(b"receive", at, where, state, rest + b',"isWaiting":true')
                try:
                    result = original(sock, *args, **kwargs)
                except BaseException as error:
                    if not isinstance(error, NOT_YET):
                        emit(b"receive", time(), where, state, rest + failed(error))
                    raise
                at = time()
                data = result
                if has_peer:
                    data, address = result
                    seen = shown(address)
                    rest += both(b"peer", seen, address)
                    result = (data, seen)
                if is_into:
                    data = bytes(memoryview(buffer).cast("B")[:data])
                if len(args) > 1 + is_into or kwargs:
                    if (args[1 + is_into] if len(args) > 1 + is_into else kwargs.get("flags", 0)) & PEEK:
                        rest += b',"isPeek":true'
                emit(b"receive", at, where, state, rest + held(data, len(data)))
                return result
            return receive

    for name in ("recv", "recv_into", "recvfrom", "recvfrom_into"):
        receives(name)

    @replace("shutdown")
    def _(original):
        def shutdown(sock, *args):
            state = state_of(sock)
            at, where = time(), place()
            try:
                result = original(sock, *args)
            except Exception as error:
                if state.is_traced:
                    emit(b"shutdown", at, where, state, failed(error))
                raise
            if state.is_traced:
                name = {socket.SHUT_RD: "read", socket.SHUT_WR: "write"}.get(args[0], "both")
                emit(b"shutdown", at, where, state, field(b"how", name))
            return result
        return shutdown

    @replace("_real_close")
    def _(original):
        def _real_close(sock, *args):
            state = state_of(sock)
            if state.is_traced and not state.is_closed:
                state.is_closed = True
                emit(b"close", time(), place(), state)
            return original(sock, *args)
        return _real_close

    @replace("detach")
    def _(original):
        def detach(sock):
            state_of(sock).is_closed = True
            return original(sock)
        return detach

    @replace("settimeout")
    def _(original):
        def settimeout(sock, *args):
            original(sock, *args)
            state, seconds = state_of(sock), args[0]
            if state.is_traced and seconds != 0:
                rest = b"" if seconds is None else b',"seconds":%s' % repr(float(seconds)).encode()
                emit(b"timeout", time(), place(), state, rest)
        return settimeout

    for name in ("getsockname", "getpeername"):
        @replace(name)
        def _(original):
            return lambda sock, *args: shown(original(sock, *args))

    if hasattr(socket, "socketpair"):
        socketpair = socket.socketpair

        def traced_socketpair(*args, **kwargs):
            ident = _thread.get_ident()
            ignored.add(ident)
            try:
                pair = socketpair(*args, **kwargs)
                for sock in pair:
                    state_of(sock)
                return pair
            finally:
                ignored.discard(ident)

        socket.socketpair = traced_socketpair

    if to_loopback:
        getaddrinfo = socket.getaddrinfo

        def traced_getaddrinfo(host, *args, **kwargs):
            try:
                return getaddrinfo(host, *args, **kwargs)
            except socket.gaierror:
                if not isinstance(host, str) or not is_remote(host):
                    raise
                return getaddrinfo("127.0.0.1", *args, **kwargs)

        socket.getaddrinfo = traced_getaddrinfo

    # The screen and the keyboard: methods of the objects at hand, which print() and input() call.

    def trace_screen(stream, name):
        original = stream.write

        def write(text):
            result = original(text)
            if not isinstance(text, str) or log.prints_left <= 0:
                return result
            unfinished = pending.get(name)
            if unfinished is None:
                if pending:
                    flush()
                at = time()
                if is_burst(at):
                    if stream.__dict__.pop("write", None):
                        log.unheard.append((stream, write))
                    return result
                pending[name] = [at, place(), text]
            elif len(unfinished[2]) <= MAX_TEXT:
                unfinished[2] += text
            if text.endswith("\n"):
                flush(name)
            return result

        stream.write = write

    def trace_keyboard(stdin):
        is_inside = []

        def traced(original, is_line):
            def read(*args):
                if is_inside:
                    return original(*args)
                is_burst(time())  # a burst may be over
                unfinished = pending.get("stdout")
                prompt = unfinished[2] if unfinished else ""
                flush()
                where = place()
                log.write(b"input", time(), where, b',"isWaiting":true' + field(b"text", prompt))
                is_inside.append(True)
                try:
                    result = original(*args)
                finally:
                    is_inside.pop()
                if is_line:
                    length = len(result.encode(errors="replace"))
                else:
                    length = result if isinstance(result, int) else len(result or b"")
                log.write(b"input", time(), where, b',"length":%d' % length)
                return result
            return read

        stdin.readline = traced(stdin.readline, True)
        raw = stdin.buffer.raw
        raw.readinto = traced(raw.readinto, False)
        raw.readall = traced(raw.readall, False)

    for stream, name in ((sys.stdout, "stdout"), (sys.stderr, "stderr")):
        if isinstance(stream, io.TextIOWrapper):
            trace_screen(stream, name)
    if isinstance(sys.stdin, io.TextIOWrapper):
        try:
            trace_keyboard(sys.stdin)
        except AttributeError:
            pass  # a console of Windows has no raw file of this kind

    leave = os._exit

    def finish():
        flush()
        log.report_counts()

    def _exit(*args, **kwargs):
        finish()
        leave(*args, **kwargs)

    os._exit = _exit
    hide_frames()
    atexit.register(finish)
    if hasattr(os, "register_at_fork"):
        def forked():
            log.process = b',"process":%d' % os.getpid()
            pending.clear()
        os.register_at_fork(after_in_child=forked)
    log.write(b"start", time(), b"", field(b"text", "Python " + sys.version.split()[0]))


def hide_frames():
    """Keeps the tracer's own frames out of every traceback that is printed."""

    def strip(error, seen):
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            tb = without(error.__traceback__)
            error.__traceback__ = tb
            strip(error.__cause__, seen)
            for inner in getattr(error, "exceptions", ()):
                strip(inner, seen)
            error = error.__context__

    def without(tb):
        """The traceback without the frames of this file."""
        while tb is not None and tb.tb_frame.f_code.co_filename == __file__:
            tb = tb.tb_next
        at = tb
        while at is not None:
            while at.tb_next is not None and at.tb_next.tb_frame.f_code.co_filename == __file__:
                at.tb_next = at.tb_next.tb_next
            at = at.tb_next
        return tb

    def excepthook(kind, value, tb):
        strip(value, set())
        sys.__excepthook__(kind, value, without(tb))

    sys.excepthook = excepthook

    def filter_traceback(module):
        for name in ("walk_tb", "_walk_tb_with_full_positions"):
            if hasattr(module, name):
                setattr(module, name, filtered(getattr(module, name)))

    def filtered(walk):
        return lambda tb: walk(without(tb))

    thread_excepthook = getattr(_thread, "_excepthook", None)

    def traced_thread_excepthook(args):
        strip(args.exc_value, set())
        thread_excepthook(args)

    if thread_excepthook:  # `threading` takes it from there when it is imported
        _thread._excepthook = traced_thread_excepthook
        if "threading" in sys.modules:
            sys.modules["threading"].excepthook = traced_thread_excepthook

    if "traceback" in sys.modules:
        filter_traceback(sys.modules["traceback"])
    else:
        sys.meta_path.insert(0, Finder)

    Finder.filter = staticmethod(filter_traceback)


class Finder:
    """Filters the module `traceback` when it is imported, which most programs never do."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "traceback":
            return None
        sys.meta_path.remove(cls)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                load = spec.loader.exec_module

                def exec_module(module):
                    load(module)
                    cls.filter(module)

                spec.loader.exec_module = exec_module
                return spec
        return None
