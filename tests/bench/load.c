/*
 * The load generator of bench.ts: clients that each send their next message
 * when the reply to the last one is complete. Linux and macOS.
 *
 *   load PORT CLIENTS SIZE [udp] [once] [shut] [framed] [upper]
 *
 * udp: the clients send datagrams. once: a connection carries one message, and
 * the server closes it. shut: the client half-closes after its message. framed:
 * a header of 10 characters gives the length of the message. upper: the reply
 * is expected in upper case.
 *
 * Each line on stdin is a number of seconds. The clients send for that long, then
 * wait for the replies to come. At least one message is sent. The line printed on
 * stdout gives the number of replies and the seconds until the last of them. Every
 * reply is checked. A wrong one, or a lost connection, ends the program with
 * status 1. Before all this, the program waits until the server listens.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 1000
#define START_TIMEOUT 10.0 /* seconds until the server must listen */
#define REPLY_TIMEOUT 10.0 /* seconds without any event */
#define UDP_RETRY 200      /* milliseconds until a lost datagram is sent again */

struct client {
  int is_busy; /* a reply is missing */
  size_t sent, received;
};

static struct client clients[MAX_CLIENTS];
static struct pollfd polled[MAX_CLIENTS]; /* the clients' sockets */
static int client_count, busy_count;
static char *message, *reply, *buffer;
static size_t size; /* bytes of each of these three */
static int is_udp, is_once, half_closes, is_framed, is_upper;
static struct sockaddr_in server = {.sin_family = AF_INET};
static double last_reply, ends; /* seconds */
static long replies;            /* within the time */

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "load: port %d: %s\n", ntohs(server.sin_port), what);
  exit(1);
}

static void disconnect(int i) {
  if (polled[i].fd >= 0) close(polled[i].fd);
  polled[i].fd = -1;
}

static void connect_client(int i) {
  int fd = socket(AF_INET, is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
  if (fd < 0) fail(strerror(errno));
  fcntl(fd, F_SETFL, O_NONBLOCK);
  int yes = 1;
  if (!is_udp) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
    fail(strerror(errno));
  polled[i].fd = fd;
}

static void send_rest(int i) {
  struct client *client = &clients[i];
  while (client->sent < size) {
    ssize_t length = send(polled[i].fd, message + client->sent, size - client->sent, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINPROGRESS || errno == ENOTCONN)) break;
    if (length < 0) fail(strerror(errno));
    client->sent += length;
  }
  polled[i].events = POLLIN | (client->sent < size ? POLLOUT : 0);
  if (client->sent == size && half_closes) shutdown(polled[i].fd, SHUT_WR);
}

static void start_message(int i) {
  clients[i] = (struct client){.is_busy = 1};
  busy_count++;
  if (polled[i].fd < 0) connect_client(i);
  send_rest(i);
}

static void finish_message(int i) {
  double time = now();
  clients[i].is_busy = 0;
  busy_count--;
  polled[i].events = 0;
  if (is_once) disconnect(i);
  if (time < ends || replies == 0) {
    replies++;
    last_reply = time;
  }
  if (time < ends) start_message(i);
}

static void receive_some(int i) {
  struct client *client = &clients[i];
  ssize_t length = recv(polled[i].fd, buffer, size, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length < 0) fail(strerror(errno));
  if (length == 0 && is_once && client->received == size) {
    finish_message(i);
  } else if (length == 0) {
    fail("the server closed the connection early");
  } else {
    if (client->received + length > size) fail("the reply is too long");
    if (memcmp(buffer, reply + client->received, length) != 0) fail("the reply is wrong");
    client->received += length;
    if (!is_once && client->received == size) finish_message(i);
  }
}

/* Connects once, or over UDP sends the message until a reply comes. */
static void wait_for_server(void) {
  double limit = now() + START_TIMEOUT;
  while (1) {
    int fd = socket(AF_INET, is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
    struct timeval timeout = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    int is_listening = connect(fd, (struct sockaddr *)&server, sizeof server) == 0 &&
      (!is_udp || (send(fd, message, size, 0) >= 0 && recv(fd, buffer, size, 0) > 0));
    close(fd);
    if (is_listening) return;
    if (now() > limit) fail("no server listens");
    usleep(1000);
  }
}

static void run(double seconds) {
  double started = now(), last_event = started;
  ends = started + seconds;
  replies = 0;
  for (int i = 0; i < client_count; i++) start_message(i);
  while (busy_count > 0) {
    int ready = poll(polled, client_count, UDP_RETRY);
    if (ready == 0) {
      if (now() - last_event > REPLY_TIMEOUT) fail("no reply");
      for (int i = 0; i < client_count && is_udp; i++) {
        clients[i].sent = 0;
        if (clients[i].is_busy) send_rest(i);
      }
      continue;
    }
    last_event = now();
    for (int i = 0; i < client_count; i++) {
      int events = polled[i].revents;
      if (events & POLLOUT) send_rest(i);
      if (events & (POLLIN | POLLHUP | POLLERR) && clients[i].is_busy) receive_some(i);
    }
  }
  printf("%ld %.6f\n", replies, last_reply - started);
  fflush(stdout);
}

int main(int count, char **words) {
  if (count < 4 || atoi(words[2]) < 1 || atoi(words[2]) > MAX_CLIENTS || atol(words[3]) < 1) {
    fprintf(stderr, "usage: load PORT CLIENTS SIZE [udp] [once] [shut] [framed] [upper]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server.sin_port = htons(atoi(words[1]));
  client_count = atoi(words[2]);
  for (int i = 4; i < count; i++) {
    is_udp |= strcmp(words[i], "udp") == 0;
    is_once |= strcmp(words[i], "once") == 0;
    half_closes |= strcmp(words[i], "shut") == 0;
    is_framed |= strcmp(words[i], "framed") == 0;
    is_upper |= strcmp(words[i], "upper") == 0;
  }
  size_t text_size = atol(words[3]);
  size = text_size + (is_framed ? 10 : 0);
  message = malloc(size + 1);
  reply = malloc(size + 1);
  buffer = malloc(size + 1);
  int start = is_framed ? sprintf(message, "%10zu", text_size) : 0;
  for (size_t i = 0; i < text_size; i++) message[start + i] = 'a' + i % 26;
  for (size_t i = 0; i < size; i++) {
    int is_letter = message[i] >= 'a' && message[i] <= 'z';
    reply[i] = is_upper && is_letter ? message[i] - 'a' + 'A' : message[i];
  }
  for (int i = 0; i < client_count; i++) polled[i].fd = -1;
  wait_for_server();
  char line[64];
  while (fgets(line, sizeof line, stdin)) run(atof(line));
  return 0;
}
