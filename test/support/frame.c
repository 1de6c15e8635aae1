/* frame LINK HEX…: sends each as a whole Ethernet frame by the link. */
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[1])};
  for (int i = 2; i < argc; i++) {
    unsigned char frame[1500];
    size_t size = strlen(argv[i]) / 2;
    for (size_t at = 0; at < size; at++) sscanf(argv[i] + 2 * at, "%2hhx", frame + at);
    if (sendto(fd, frame, size, 0, (struct sockaddr *)&to, sizeof to) < 0) return perror("frame"), 1;
  }
  return 0;
}
