/*
 * What C can do: an echo server that does the least possible, one thread with
 * epoll. Linux.
 *
 *   server tcp BUFFER_SIZE    echoes until the client ends
 *   server once BUFFER_SIZE   reads once from each client, echoes, closes
 *   server udp BUFFER_SIZE    echoes each datagram
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char *buffer;
static size_t size;

/* Echoes what is there; tells whether the connection goes on. */
static int echo(int fd) {
  ssize_t length = recv(fd, buffer, size, 0);
  if (length <= 0) return 0;
  for (ssize_t sent = 0; sent < length;) {
    ssize_t part = send(fd, buffer + sent, length - sent, MSG_NOSIGNAL);
    if (part < 0) return 0;
    sent += part;
  }
  return 1;
}

int main(int count, char **words) {
  if (count != 3) {
    fprintf(stderr, "usage: server tcp|once|udp BUFFER_SIZE\n");
    return 2;
  }
  int is_udp = strcmp(words[1], "udp") == 0, is_once = strcmp(words[1], "once") == 0;
  size = atol(words[2]);
  buffer = malloc(size);
  int own = socket(AF_INET, is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(own, (void *)&address, length) < 0 || (!is_udp && listen(own, 4096) < 0)) {
    perror("server");
    return 1;
  }
  getsockname(own, (void *)&address, &length);
  fprintf(stderr, "note: listening on 127.0.0.1 port %d\n", ntohs(address.sin_port));
  while (is_udp) {
    socklen_t peer_length = sizeof address;
    ssize_t received = recvfrom(own, buffer, size, 0, (void *)&address, &peer_length);
    if (received >= 0) sendto(own, buffer, received, 0, (void *)&address, peer_length);
  }
  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = own}, events[512];
  epoll_ctl(epoll, EPOLL_CTL_ADD, own, &event);
  int yes = 1; /* accepted connections inherit it */
  if (!is_once) setsockopt(own, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  while (1) {
    int ready = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == own) {
        event.data.fd = accept(own, NULL, NULL);
        if (event.data.fd >= 0) epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
      } else if (!echo(fd) || is_once) {
        close(fd);
      }
    }
  }
}
