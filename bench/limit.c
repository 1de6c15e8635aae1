/*
 * The limit: the kernel's own work for one container as Docker makes it by default, and nothing else. What an engine
 * takes beyond this is the engine. Not in here: networks other than loopback, masked paths, seccomp, capabilities.
 *
 *   limit DIRECTORY LOWER PROGRAM              one container per byte on stdin; each answers with a line: nanoseconds
 *   limit DIRECTORY LOWER PROGRAM COUNT JOBS   COUNT containers, JOBS at a time; one line: nanoseconds for all
 *
 * DIRECTORY keeps upper and work directories and the new root's mount point, LOWER is overlayfs's lowerdir= (top:…:bottom),
 * PROGRAM a static program in it that ends at once, e.g. /bin/true. The cgroups are /sampan-limit-PID/N.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <stdarg.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const v1[] = {"memory", "cpu", "cpuacct", "cpuset", "pids", "blkio", "devices", "freezer"};
enum { V1 = sizeof v1 / sizeof *v1 };
static const char *const devices[] = {"c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm",   "c 1:7 rwm", "c 1:8 rwm",
                                      "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm"};

static const char *directory, *lower, *program;
static char parent[64];
static int unified;

static void die(const char *what) {
  fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void must(long result, const char *what) {
  if (result < 0) die(what);
}

__attribute__((format(printf, 2, 3))) static void put(int at, const char *format, ...) {
  char path[512];
  va_list args;
  va_start(args, format);
  vsnprintf(path, sizeof path, format, args);
  va_end(args);
  char *value = strchr(path, '=');
  *value++ = 0;
  int fd = openat(at, path, O_WRONLY | O_CLOEXEC);
  must(fd, path);
  must(write(fd, value, strlen(value)), path);
  close(fd);
}

/* The directory of a controller's hierarchy; of the only one with v2. */
static const char *hierarchy(int i) {
  static char path[64];
  if (unified) return "/sys/fs/cgroup";
  snprintf(path, sizeof path, "/sys/fs/cgroup/%s", v1[i]);
  return path;
}

static void read_line(const char *path, char *into, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  must(fd, path);
  ssize_t n = read(fd, into, size - 1);
  must(n, path);
  into[n] = 0;
  close(fd);
}

static void cpuset(int at) {
  static char cpus[256], mems[256];
  if (!*cpus) read_line("/sys/fs/cgroup/cpuset/cpuset.cpus", cpus, sizeof cpus);
  if (!*mems) read_line("/sys/fs/cgroup/cpuset/cpuset.mems", mems, sizeof mems);
  put(at, "cpuset.cpus=%s", cpus);
  put(at, "cpuset.mems=%s", mems);
}

static void make_parent(void) {
  snprintf(parent, sizeof parent, "sampan-limit-%d", getpid());
  for (int i = 0; i < (unified ? 1 : V1); i++) {
    int at = open(hierarchy(i), O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(at, hierarchy(i));
    must(mkdirat(at, parent, 0755), "mkdir parent cgroup");
    int fd = openat(at, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (unified) put(fd, "cgroup.subtree_control=+cpu +cpuset +io +memory +pids");
    if (!unified && !strcmp(v1[i], "cpuset")) cpuset(fd);
    close(fd);
    close(at);
  }
}

static void remove_cgroups(const char *name) {
  for (int i = 0; i < (unified ? 1 : V1); i++) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", hierarchy(i), name);
    must(rmdir(path), path);
  }
}

/* Makes the container's cgroups with the limits that Docker sets unasked. With v2 returns the directory to clone into. */
static int make_cgroups(const char *name) {
  for (int i = 0; i < (unified ? 1 : V1); i++) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", hierarchy(i), name);
    must(mkdir(path, 0755), path);
    int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(at, path);
    if (unified) {
      put(at, "pids.max=max");
      return at;
    }
    if (!strcmp(v1[i], "cpuset")) cpuset(at);
    if (!strcmp(v1[i], "devices")) {
      put(at, "devices.deny=a");
      for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) put(at, "devices.allow=%s", devices[d]);
    }
    close(at);
  }
  return -1;
}

static void mount_cgroups(void) {
  unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
  if (unified) {
    must(mount("cgroup", "sys/fs/cgroup", "cgroup2", flags, 0), "mount cgroup2");
    return;
  }
  must(mount("tmpfs", "sys/fs/cgroup", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755"), "mount cgroup tmpfs");
  for (int i = 0; i < V1; i++) {
    char path[128];
    snprintf(path, sizeof path, "sys/fs/cgroup/%s", v1[i]);
    must(mkdir(path, 0755), path);
    must(mount("cgroup", path, "cgroup", flags, v1[i]), path);
  }
}

static void make_dev(void) {
  static const struct { const char *name; int major, minor; } nodes[] = {
      {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
  must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"), "mount dev");
  for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
    must(mknod(nodes[i].name, S_IFCHR | 0666, makedev((unsigned)nodes[i].major, (unsigned)nodes[i].minor)), nodes[i].name);
  }
  static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"},
      {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"}, {"/proc/kcore", "dev/core"}, {"pts/ptmx", "dev/ptmx"}};
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) must(symlink(links[i][0], links[i][1]), links[i][1]);
  must(mkdir("dev/pts", 0755) | mkdir("dev/shm", 01777) | mkdir("dev/mqueue", 0755), "mkdir in dev");
  must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"), "mount devpts");
  must(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k"), "mount shm");
  must(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0), "mount mqueue");
}

/*
 * A thread that moves itself through "tasks" does not take the lock against forks, which costs whoever takes it after a
 * pause an RCU grace period, 10 ms and more (Linux >= 5.5, cgroup_procs_write_start). With v2 it was born where it belongs.
 */
static void enter_cgroups(const char *name) {
  for (int i = 0; !unified && i < V1; i++) put(AT_FDCWD, "%s/%s/tasks=0", hierarchy(i), name);
  must(unshare(CLONE_NEWCGROUP), "unshare cgroup");
}

static void child(const char *base, const char *cgroup) {
  char options[8192], root[512];
  enter_cgroups(cgroup);
  must(setsid(), "setsid");
  must(sethostname("limit", 5), "sethostname");
  must(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0), "make / private");
  snprintf(root, sizeof root, "%s/root", base);
  int n = snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, base, base);
  if (n >= (int)sizeof options) errno = E2BIG, die("lower directories");
  must(mount("overlay", root, "overlay", 0, options), "mount overlay");
  must(chdir(root), root);
  must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0), "mount proc");
  make_dev();
  must(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, 0), "mount sys");
  mount_cgroups();
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount old root");
  int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  must(ioctl(s, SIOCSIFFLAGS, &lo), "set lo up");
  execl(program, program, (char *)0);
  die(program);
}

static void remove_upper(const char *base) {
  static const char *const names[] = {"work/work", "work", "upper", "root", ""};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", base, names[i]);
    must(rmdir(path), path);
  }
}

static void container(int number) {
  char base[256], name[128];
  static const char *const names[] = {"", "root", "upper", "work"};
  snprintf(base, sizeof base, "%s/%d", directory, number);
  snprintf(name, sizeof name, "%s/%d", parent, number);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", base, names[i]);
    must(mkdir(path, 0755), path);
  }
  int cgroup = make_cgroups(name);
  struct clone_args args = {
      .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET,
      .exit_signal = SIGCHLD,
  };
  if (unified) args.flags |= CLONE_INTO_CGROUP, args.cgroup = (uint64_t)cgroup;
  long pid = syscall(SYS_clone3, &args, sizeof args);
  must(pid, "clone3");
  if (pid == 0) child(base, name);
  int status;
  must(waitpid((pid_t)pid, &status, 0), "wait");
  if (status) errno = ECHILD, die("the container failed");
  if (cgroup >= 0) close(cgroup);
  remove_cgroups(name);
  remove_upper(base);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void many(int count, int jobs) {
  for (int j = 0; j < jobs; j++) {
    pid_t pid = fork();
    must(pid, "fork");
    if (pid) continue;
    for (int i = j; i < count; i += jobs) container(i);
    _exit(0);
  }
  for (int j = 0; j < jobs; j++) {
    int status;
    must(wait(&status), "wait");
    if (status) errno = ECHILD, die("a job failed");
  }
}

int main(int argc, char **argv) {
  if (argc != 4 && argc != 6) {
    fprintf(stderr, "usage: limit DIRECTORY LOWER PROGRAM [COUNT JOBS]\n");
    return 2;
  }
  directory = argv[1], lower = argv[2], program = argv[3];
  unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  umask(0);
  make_parent();
  char byte;
  int64_t start = now();
  if (argc == 6) {
    many(atoi(argv[4]), atoi(argv[5]));
    printf("%lld\n", (long long)(now() - start));
  } else {
    for (int i = 0; read(0, &byte, 1) == 1; i++) {
      start = now();
      container(i);
      printf("%lld\n", (long long)(now() - start));
      fflush(stdout);
    }
  }
  remove_cgroups(parent);
  return 0;
}
