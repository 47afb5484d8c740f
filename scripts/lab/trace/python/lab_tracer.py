"""Reports what a Python program does with sockets, its keyboard and its screen.

The events are lines of JSON in a file; ../event.ts describes them. The program prints and does what
it would without the tracer. The methods of `socket.socket` are replaced, so `socketserver`, `select`,
threads and asyncio's selector event loop are traced as well."""
import _thread
import atexit
import errno
import io
import json
import os
import socket
import sys
import traceback
import weakref
from binascii import b2a_base64
from itertools import count
from time import time

C = socket.socket.__mro__[1]  # the class in C, whose methods do the work
TCP, UDP = "tcp", "udp"
MAX_DATA = 65536  # bytes of one send or receive that an event holds
MAX_TEXT = 8192  # characters of one print that an event holds
PEEK = getattr(socket, "MSG_PEEK", 0)
MAIN_THREAD = _thread.get_ident()
# A call with one of these errors has done nothing: a program with non-blocking sockets tries again.
NOT_YET = (BlockingIOError, InterruptedError)


class Log:
    """Writes events to the file, each with one write, so that threads and processes can share it."""

    def __init__(self, path, limit):
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self.fd = _high(os.open(path, flags))
        self.process = ""
        self.left = limit  # bytes that may be written
        self.prints_left = limit // 4  # a program that prints without end leaves room for the rest

    def write(self, kind, at, place, rest=""):
        if self.left <= 0:
            return
        ident = _thread.get_ident()
        thread = "" if ident == MAIN_THREAD else ',"thread":%d' % ident
        line = '{"kind":"%s","at":%.3f%s%s%s%s}\n' % (kind, at * 1000, self.process, thread, place, rest)
        try:
            data = line.encode()
            self.left -= len(data)
            os.write(self.fd, data)
            if self.left <= 0:
                os.write(self.fd, b'{"kind":"truncated","at":%.3f}\n' % (at * 1000))
        except (OSError, UnicodeError):
            pass


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
        self.prefix = ',"socket":%d,"transport":"%s"' % (number, transport)
        self.is_traced = is_traced
        self.is_closed = False
        self.connecting = None  # the address, while a non-blocking connect is under way


def start(config):
    """Reads the configuration, and replaces what is to be traced."""
    config = json.loads(config)
    log = Log(config["events"], config.get("limit", 1 << 26))
    within = os.path.normcase(os.path.realpath(config["within"]))
    ports = {int(port): to for port, to in config.get("ports", {}).items()}
    to_loopback = config.get("toLoopback", False)

    # Where: the nearest line of the program's own files.
    names = {}  # file names as in code objects: the name in events, or None for a file of others

    def own_name(path):
        name = None
        full = os.path.realpath(path)
        if os.path.normcase(full) == within:
            name = os.path.basename(full)
        elif os.path.normcase(full).startswith(os.path.join(within, "")) and "site-packages" not in full:
            name = full[len(os.path.join(within, "")):].replace(os.sep, "/")
        elif path.endswith("base_events.py") and "asyncio" in path:
            name = ""  # the event loop: whatever called it is not at work here
        names[path] = name
        return name

    def place(depth=2):
        frame = sys._getframe(depth)
        while frame is not None:
            path = frame.f_code.co_filename
            name = names[path] if path in names else own_name(path)
            if name:
                return ',"file":%s,"line":%d' % (json.dumps(name), frame.f_lineno)
            if name == "" and frame.f_code.co_name == "_run_once":
                break
            frame = frame.f_back
        return ""

    # What the program has printed of a line that is not finished yet.
    pending = {}

    def flush(stream=None):
        for name in [stream] if stream else list(pending):
            unfinished = pending.pop(name, None)
            if unfinished:
                at, where, text = unfinished
                rest = ',"stream":"%s","text":%s' % (name, json.dumps(text[:MAX_TEXT]))
                log.prints_left -= len(rest) + 100
                if log.prints_left > 0:
                    log.write("print", at, where, rest)

    def emit(kind, at, where, state, rest=""):
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
                    emit("close", time(), "", state)

            state.ref = weakref.ref(sock, forgotten)
            states[key] = state
        return state

    # Addresses: where the program is led to, and what it sees of that.

    shown_addresses = {}
    shown_ports = {to: port for port, to in ports.items()}

    def actual(sock, address, is_bind=False):
        """The address to use in place of the one that the program gives."""
        if not isinstance(address, tuple) or len(address) < 2:
            return address
        host, port = address[:2]
        to_port = ports.get(port, port) if isinstance(port, int) else port
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
        if not isinstance(address, tuple) or len(address) < 2:
            return ""
        return ',"%s":{"host":%s,"port":%s}' % (name, json.dumps(str(address[0])), json.dumps(address[1]))

    def both(name, address, real):
        return named(name, address) + (named("actual", real) if real != address else "")

    def failed(error):
        if isinstance(error, socket.timeout):
            return ',"error":"ETIMEDOUT"'
        number = getattr(error, "errno", None)
        name = errno.errorcode.get(number) if isinstance(number, int) else None
        return ',"error":"%s"' % (name or type(error).__name__)

    def held(data, length):
        text = b2a_base64(data[:MAX_DATA], newline=False).decode()
        return ',"length":%d,"data":"%s"' % (length, text)

    def blocks(sock):
        return C.gettimeout(sock) != 0

    # The methods. What goes out has the time before the call, what comes in the time after it: so the
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
            real = actual(sock, address)
            if state.transport == TCP and os.name == "posix":
                C.setsockopt(sock, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            at, where = time(), place()
            try:
                original(sock, real)
            except Exception as error:
                emit("bind", at, where, state, both("local", address, real) + failed(error))
                raise
            real = C.getsockname(sock)
            if real[0] in ("127.0.0.1", "::1") and to_loopback and is_remote(address[0]):
                shown_addresses[real[:2]] = (resolved(address[0]), shown(real)[1])
            emit("bind", at, where, state, both("local", shown(real), real))
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
                emit("listen", at, where, state, failed(error))
                raise
            real = C.getsockname(sock)
            emit("listen", at, where, state, both("local", shown(real), real))
        return listen

    @replace("_accept")
    def _(original):
        def _accept(sock):
            state = state_of(sock)
            if not state.is_traced:
                return original(sock)
            where = place()
            if blocks(sock):
                emit("accept", time(), where, state, ',"isWaiting":true')
            try:
                fd, address = original(sock)
            except NOT_YET:
                raise
            except BaseException as error:
                emit("accept", time(), where, state, failed(error))
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
                rest = ',"accepted":%d' % connection.number + both("peer", shown(address), address)
                emit("accept", at, where, state, rest)
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
                peer = ',"call":"%s"' % name + both("peer", address, real)
                if state.transport == TCP:
                    emit("connect", at, where, state, ',"isWaiting":true' + peer)
                try:
                    result = original(sock, real)
                except NOT_YET:
                    state.connecting = peer
                    raise
                except BaseException as error:
                    emit("connect", at, where, state, peer + failed(error))
                    raise
                if result in (errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0) or -1):
                    state.connecting = peer
                else:
                    error = ',"error":"%s"' % errno.errorcode.get(result, result) if result else ""
                    emit("connect", at, where, state, peer + error)
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

    def connected(state, error=0, where=""):
        """Reports the end of a non-blocking connect."""
        peer, state.connecting = state.connecting, None
        if peer is not None:
            error = ',"error":"%s"' % errno.errorcode.get(error, error) if error else ""
            emit("connect", time(), where, state, peer + error)

    def sends(name):
        @replace(name)
        def _(original):
            def send(sock, *args):
                state = state_of(sock)
                if not state.is_traced:
                    return original(sock, *args)
                peer = ""
                if name == "sendto" and len(args) > 1:
                    real = actual(sock, args[-1])
                    peer = both("peer", args[-1], real)
                    args = args[:-1] + (real,)
                if state.connecting is not None:
                    connected(state)
                at, where = time(), place()
                call = ',"call":"%s"' % name
                try:
                    result = original(sock, *args)
                except NOT_YET:
                    raise
                except BaseException as error:
                    emit("send", at, where, state, call + peer + failed(error))
                    raise
                data = args[0]
                if name == "sendmsg":
                    data = b"".join(bytes(part) for part in list(data))
                elif not isinstance(data, bytes):
                    data = memoryview(data).cast("B")
                length = len(data) if result is None else result
                emit("send", at, where, state, call + peer + held(data[:length], length))
                return result
            return send

    sends("send")
    sends("sendall")
    sends("sendto")
    if hasattr(C, "sendmsg"):
        sends("sendmsg")

    def receives(name):
        is_into, has_peer = name.endswith("_into"), name.startswith("recvfrom")

        @replace(name)
        def _(original):
            def receive(sock, *args, **kwargs):
                state = state_of(sock)
                if not state.is_traced:
                    return original(sock, *args, **kwargs)
                size = args[0] if args else kwargs.get("buffer", 0)
                if is_into:
                    wanted = args[1] if len(args) > 1 else kwargs.get("nbytes", 0)
                    size = wanted or memoryview(size).nbytes
                where = place()
                call = ',"call":"%s","size":%s' % (name, size if isinstance(size, int) else 0)
                if state.connecting is not None:
                    connected(state)
                if blocks(sock):
                    emit("receive", time(), where, state, call + ',"isWaiting":true')
                try:
                    result = original(sock, *args, **kwargs)
                except NOT_YET:
                    raise
                except BaseException as error:
                    emit("receive", time(), where, state, call + failed(error))
                    raise
                at = time()
                data = result[0] if has_peer else result
                if has_peer:
                    call += both("peer", shown(result[1]), result[1])
                    result = (data, shown(result[1]))
                if is_into:
                    data = bytes(memoryview(args[0] if args else kwargs["buffer"]).cast("B")[:data])
                flags = args[1 + is_into] if len(args) > 1 + is_into else kwargs.get("flags", 0)
                if flags & PEEK:
                    call += ',"isPeek":true'
                emit("receive", at, where, state, call + held(data, len(data)))
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
                    emit("shutdown", at, where, state, failed(error))
                raise
            if state.is_traced:
                name = {socket.SHUT_RD: "read", socket.SHUT_WR: "write"}.get(args[0], "both")
                emit("shutdown", at, where, state, ',"how":"%s"' % name)
            return result
        return shutdown

    @replace("_real_close")
    def _(original):
        def _real_close(sock, *args):
            state = state_of(sock)
            if state.is_traced and not state.is_closed:
                state.is_closed = True
                emit("close", time(), place(), state)
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
                rest = ',"seconds":%s' % json.dumps(float(seconds)) if seconds is not None else ""
                emit("timeout", time(), place(), state, rest)
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
                pending[name] = [time(), place(), text]
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
                unfinished = pending.get("stdout")
                prompt = unfinished[2] if unfinished else ""
                flush()
                where = place()
                log.write("input", time(), where, ',"isWaiting":true,"text":%s' % json.dumps(prompt))
                is_inside.append(True)
                try:
                    result = original(*args)
                finally:
                    is_inside.pop()
                if is_line:
                    length = len(result.encode(errors="replace"))
                else:
                    length = result if isinstance(result, int) else len(result or b"")
                log.write("input", time(), where, ',"length":%d' % length)
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

    def _exit(*args, **kwargs):
        flush()
        leave(*args, **kwargs)

    os._exit = _exit
    hide_frames()
    atexit.register(flush)
    if hasattr(os, "register_at_fork"):
        def forked():
            log.process = ',"process":%d' % os.getpid()
            pending.clear()
        os.register_at_fork(after_in_child=forked)
    log.write("start", time(), "", ',"text":%s' % json.dumps("Python " + sys.version.split()[0]))


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

    thread_excepthook = getattr(_thread, "_excepthook", None)

    def traced_thread_excepthook(args):
        strip(args.exc_value, set())
        thread_excepthook(args)

    if thread_excepthook:  # `threading` takes it from there when it is imported
        _thread._excepthook = traced_thread_excepthook
        if "threading" in sys.modules:
            sys.modules["threading"].excepthook = traced_thread_excepthook

    def filtered(walk):
        def walk_tb(tb):
            for item in walk(without(tb)):
                yield item
        return walk_tb

    for name in ("walk_tb", "_walk_tb_with_full_positions"):
        if hasattr(traceback, name):
            setattr(traceback, name, filtered(getattr(traceback, name)))
