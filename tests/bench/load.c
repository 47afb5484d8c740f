/*
 * The load of the benchmark: clients in a closed loop, each sends its next
 * message when the answer to the last has come. Linux (epoll, sendmmsg);
 * load.ts does the same elsewhere.
 *
 *   load tcp PORT CLIENTS SECONDS SIZE [once] [framed] [upper]
 *   load udp PORT IN_FLIGHT SECONDS SIZE [upper]
 *   load sink            one connection, all of it thrown away
 *   load source BYTES    one connection that is sent so many bytes
 *
 * once: a connection for each message, which ends with the answer. framed: 10
 * characters before the message hold its length. upper: the answer comes in
 * upper case, and with once the client ends its half first.
 *
 * Every answer is compared with what it should be. The result is one line of
 * five numbers: answers a second; median and 99th percentile of the
 * microseconds that an answer took (0 with several datagrams in flight);
 * failures; percent of a core that the load itself used. The connections then
 * stay open until stdin ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 0.3       /* seconds before anything counts */
#define FEWEST 3          /* answers that must count */
#define SLOWEST 9000000   /* microseconds that are told apart */
#define PIECE (1 << 18)   /* bytes of a read, and of a write of a source */
#define MOST_IN_FLIGHT 64 /* datagrams */
#define PATIENCE 200      /* milliseconds until a datagram is given up */

struct client {
  int fd;
  size_t sent, received; /* bytes of this message */
  int waits_to_write;
  double start; /* seconds */
};

static char *message, *answer; /* what is sent, and what should come */
static size_t size;            /* bytes of both */
static int is_once, ends_its_half;
static struct sockaddr_in server = {.sin_family = AF_INET};
static unsigned took[SLOWEST]; /* answers by microseconds */
static long answers, failures;
static double counts_from; /* seconds */
static double used = -1;   /* processor time before that, in seconds */

static double clock_of(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static double now(void) { return clock_of(CLOCK_MONOTONIC); }

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void note_answer(double start, double end) {
  if (end < counts_from) return;
  if (used < 0) used = clock_of(CLOCK_PROCESS_CPUTIME_ID);
  double microseconds = (end - start) * 1e6;
  took[microseconds < SLOWEST ? (int)microseconds : SLOWEST - 1]++;
  answers++;
}

static int percentile(double share) {
  long left = answers * share;
  for (int i = 0; i < SLOWEST; i++) {
    if ((left -= took[i]) < 0) return i;
  }
  return SLOWEST;
}

static void report(double end) {
  double seconds = end - counts_from;
  double busy = used < 0 ? 0 : clock_of(CLOCK_PROCESS_CPUTIME_ID) - used;
  printf("%.1f %d %d %ld %.0f\n", answers / seconds, percentile(0.5),
         percentile(0.99), failures, 100 * busy / seconds);
  fflush(stdout);
  while (getchar() != EOF);
}

static void send_on(int epoll, struct client *client);

static void dial(int epoll, struct client *client) {
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (client->fd < 0) fail("socket");
  client->start = now();
  if (connect(client->fd, (void *)&server, sizeof server) < 0 && errno != EINPROGRESS)
    fail("connect");
  client->sent = client->received = 0;
  client->waits_to_write = 0;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event) < 0) fail("epoll_ctl");
  int yes = 1;
  if (!is_once) setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  send_on(epoll, client); /* on loopback the connection is there at once */
}

static void want(int epoll, struct client *client, int waits_to_write) {
  if (client->waits_to_write == waits_to_write) return;
  client->waits_to_write = waits_to_write;
  struct epoll_event event = {.events = EPOLLIN | (waits_to_write ? EPOLLOUT : 0),
                              .data.ptr = client};
  epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void send_on(int epoll, struct client *client) {
  while (client->sent < size) {
    ssize_t length = send(client->fd, message + client->sent, size - client->sent, 0);
    if (length < 0) {
      if (errno == EAGAIN) break;
      return; /* receiving tells it, too */
    }
    client->sent += length;
  }
  want(epoll, client, client->sent < size);
  if (client->sent == size && ends_its_half) shutdown(client->fd, SHUT_WR);
}

static void hang_up(int epoll, struct client *client, int is_failure) {
  failures += is_failure && now() >= counts_from;
  close(client->fd);
  dial(epoll, client);
}

static void receive_on(int epoll, struct client *client) {
  static char piece[PIECE];
  ssize_t length = recv(client->fd, piece, PIECE, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length > 0) {
    if (client->received + length > size ||
        memcmp(piece, answer + client->received, length) != 0) {
      hang_up(epoll, client, 1);
      return;
    }
    client->received += length;
    if (is_once || client->received < size) return;
    double end = now();
    note_answer(client->start, end);
    client->sent = client->received = 0;
    client->start = end;
    send_on(epoll, client);
  } else {
    int is_whole = length == 0 && is_once && client->received == size;
    if (is_whole) note_answer(client->start, now());
    hang_up(epoll, client, !is_whole);
  }
}

static void load_tcp(int count, double seconds) {
  int epoll = epoll_create1(0);
  struct client *clients = calloc(count, sizeof *clients);
  for (int i = 0; i < count; i++) dial(epoll, &clients[i]);
  counts_from = now() + WARM_UP;
  double end = counts_from + seconds;
  struct epoll_event events[512];
  while (now() < end || (answers < FEWEST && failures == 0)) {
    int ready = epoll_wait(epoll, events, 512, 100);
    for (int i = 0; i < ready; i++) {
      struct client *client = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) send_on(epoll, client);
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive_on(epoll, client);
    }
  }
  report(now());
}

static void load_udp(int in_flight, double seconds) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(fd, (void *)&server, sizeof server) < 0) fail("connect");
  struct timeval patience = {.tv_usec = PATIENCE * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  static char data[MOST_IN_FLIGHT][65536];
  struct mmsghdr out[MOST_IN_FLIGHT] = {0}, in[MOST_IN_FLIGHT] = {0};
  struct iovec sent = {message, size}, received[MOST_IN_FLIGHT];
  for (int i = 0; i < in_flight; i++) {
    out[i].msg_hdr.msg_iov = &sent;
    received[i] = (struct iovec){data[i], sizeof data[i]};
    in[i].msg_hdr.msg_iov = &received[i];
    in[i].msg_hdr.msg_iovlen = out[i].msg_hdr.msg_iovlen = 1;
  }
  counts_from = now() + WARM_UP;
  double end = counts_from + seconds, start = now();
  sendmmsg(fd, out, in_flight, 0);
  while (now() < end) {
    int count = recvmmsg(fd, in, in_flight, MSG_WAITFORONE, NULL);
    if (count < 0) {
      if (errno != EAGAIN && errno != ECONNREFUSED) fail("recvmmsg");
      failures += now() >= counts_from;
      count = in_flight; /* all of them got lost */
    } else {
      double time = now();
      for (int i = 0; i < count; i++) {
        if (in[i].msg_len != size || memcmp(data[i], answer, size) != 0) failures++;
        else note_answer(in_flight == 1 ? start : time, time);
      }
      start = time;
    }
    sendmmsg(fd, out, count, 0);
  }
  report(now());
}

static int accept_one(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t length = sizeof server;
  server.sin_port = 0;
  if (bind(listener, (void *)&server, sizeof server) < 0) fail("bind");
  listen(listener, 1);
  getsockname(listener, (void *)&server, &length);
  fprintf(stderr, "note: listening on 127.0.0.1 port %d\n", ntohs(server.sin_port));
  int fd = accept(listener, NULL, NULL);
  if (fd < 0) fail("accept");
  return fd;
}

int main(int count, char **words) {
  static char piece[PIECE];
  signal(SIGPIPE, SIG_IGN);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const char *kind = count > 1 ? words[1] : "";
  if (strcmp(kind, "sink") == 0) {
    int fd = accept_one();
    long total = 0;
    for (ssize_t length; (length = read(fd, piece, PIECE)) > 0; total += length);
    printf("%ld\n", total);
    return 0;
  }
  if (strcmp(kind, "source") == 0 && count == 3) {
    int fd = accept_one();
    for (long left = atol(words[2]); left > 0;) {
      ssize_t length = write(fd, piece, left < PIECE ? left : PIECE);
      if (length < 0) fail("write");
      left -= length;
    }
    shutdown(fd, SHUT_WR);
    while (read(fd, piece, PIECE) > 0);
    return 0;
  }
  if (count < 6) {
    fprintf(stderr, "usage: load tcp|udp PORT CLIENTS SECONDS SIZE [once] [framed] [upper]\n");
    return 2;
  }
  int is_framed = 0, is_upper = 0;
  for (int i = 6; i < count; i++) {
    is_once |= strcmp(words[i], "once") == 0;
    is_framed |= strcmp(words[i], "framed") == 0;
    is_upper |= strcmp(words[i], "upper") == 0;
  }
  ends_its_half = is_once && is_upper;
  server.sin_port = htons(atoi(words[2]));
  long characters = atol(words[5]);
  size = characters + (is_framed ? 10 : 0);
  message = malloc(size + 1);
  answer = malloc(size + 1);
  char *text = message + sprintf(message, is_framed ? "%10ld" : "", characters);
  for (long i = 0; i < characters; i++) text[i] = 'a' + i % 26;
  for (size_t i = 0; i < size; i++) {
    int is_letter = message[i] >= 'a' && message[i] <= 'z';
    answer[i] = is_upper && is_letter ? message[i] - 32 : message[i];
  }
  if (strcmp(kind, "udp") == 0) load_udp(atoi(words[3]), atof(words[4]));
  else load_tcp(atoi(words[3]), atof(words[4]));
  return failures > 0;
}
