/* leave-project PATH: tries to take a file or a directory out of its project, in both ways there are; one line for each. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

static void tell(const char *how, int failed) { printf("%s: %s\n", how, failed ? strerror(errno) : "left"); }

int main(int argc, char **argv) {
  struct fsxattr attributes;
  int flags, fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
  if (fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &attributes) || ioctl(fd, FS_IOC_GETFLAGS, &flags)) return perror("look"), 1;
  flags &= ~0x20000000; /* FS_PROJINHERIT_FL */
  tell("flags", ioctl(fd, FS_IOC_SETFLAGS, &flags));
  attributes.fsx_projid = 0;
  attributes.fsx_xflags &= ~(unsigned)FS_XFLAG_PROJINHERIT;
  tell("attributes", ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
  return 0;
}
