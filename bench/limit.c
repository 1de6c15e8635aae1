/*
 * The limit: the kernel's own work for one container as Docker makes it by default, and nothing else. What an engine
 * takes beyond this is the engine. Not in here: names, published ports; without -c: masked paths, seccomp, capabilities.
 *
 *   limit [-b] [-c FILTER] DIRECTORY LOWER PROGRAM              one container per byte on stdin; each answers with a line: nanoseconds
 *   limit [-b] [-c FILTER] DIRECTORY LOWER PROGRAM COUNT JOBS   COUNT containers, JOBS at a time; one line: nanoseconds for all
 *
 * With -b each has a veth pair to a bridge, an IPv4 address and a default route; the bridge is in a network namespace of
 * the program's own. Without, loopback. With -c each is confined as Docker's are: paths masked and made read-only,
 * capabilities dropped, the system calls filtered by the BPF program in the file FILTER.
 * DIRECTORY keeps upper and work directories and the new root's mount point, LOWER is overlayfs's lowerdir= (top:…:bottom),
 * PROGRAM a static program in it that ends at once, e.g. /bin/true. The cgroups are /sampan-limit-PID/N.
 */
#define _GNU_SOURCE
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "confined.h"

static const char *const v1[] = {"memory", "cpu", "cpuacct", "cpuset", "pids", "blkio", "devices", "freezer"};
enum { V1 = sizeof v1 / sizeof *v1 };
static const char *const devices[] = {"c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm",   "c 1:7 rwm", "c 1:8 rwm",
                                      "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm"};

static const char *directory, *lower, *program;
static char parent[64];
static int unified;
static unsigned bridge; /* its index; 0 without */

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

/* Messages to be sent at once; `at` is where the next attribute goes, `m` the message it belongs to. */
struct batch { char bytes[1024]; size_t at; struct nlmsghdr *m; };

static void message(struct batch *b, int type, int flags, const void *head, size_t size) {
  b->at = NLMSG_ALIGN(b->at);
  b->m = (struct nlmsghdr *)(b->bytes + b->at);
  *b->m = (struct nlmsghdr){.nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};
  memcpy(NLMSG_DATA(b->m), head, size);
  b->at += NLMSG_SPACE(size);
  b->m->nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
}

/* Adds an attribute; what is returned is given to `close_nest` when others go inside of it. */
static struct rtattr *attribute(struct batch *b, int type, const void *data, size_t size) {
  struct rtattr *a = (struct rtattr *)(b->bytes + b->at);
  *a = (struct rtattr){.rta_type = (uint16_t)type, .rta_len = (uint16_t)RTA_LENGTH(size)};
  if (size) memcpy(RTA_DATA(a), data, size);
  b->at += RTA_SPACE(size);
  b->m->nlmsg_len = (uint32_t)(b->bytes + b->at - (char *)b->m);
  return a;
}

static void close_nest(struct batch *b, struct rtattr *a) { a->rta_len = (uint16_t)(b->bytes + b->at - (char *)a); }

static int route_socket(void) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  must(fd, "netlink socket");
  return fd;
}

/* Sends the messages, the last of which asks for an answer: the first errno ends us. */
static void ask(int fd, struct batch *b, const char *what) {
  char answer[4096];
  b->m->nlmsg_flags |= NLM_F_ACK;
  must(send(fd, b->bytes, b->at, 0), what);
  must(recv(fd, answer, sizeof answer, 0), what);
  struct nlmsghdr *h = (struct nlmsghdr *)answer;
  if (h->nlmsg_type == NLMSG_ERROR && ((struct nlmsgerr *)NLMSG_DATA(h))->error) {
    errno = -((struct nlmsgerr *)NLMSG_DATA(h))->error;
    die(what);
  }
}

static void link_up(struct batch *b, int index) {
  struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  message(b, RTM_NEWLINK, 0, &link, sizeof link);
}

static void address(struct batch *b, unsigned index, uint32_t address) {
  struct ifaddrmsg head = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = index};
  uint32_t bytes = htonl(address);
  message(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
  attribute(b, IFA_LOCAL, &bytes, sizeof bytes);
  attribute(b, IFA_ADDRESS, &bytes, sizeof bytes);
}

enum { GATEWAY = 172 << 24 | 31 << 16 | 1, ETH0 = 2 };

static void make_bridge(void) {
  struct batch b = {.at = 0};
  struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  must(unshare(CLONE_NEWNET), "unshare network");
  message(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
  attribute(&b, IFLA_IFNAME, "limit0", 7);
  struct rtattr *info = attribute(&b, IFLA_LINKINFO, 0, 0);
  attribute(&b, IFLA_INFO_KIND, "bridge", 7);
  close_nest(&b, info);
  ask(route_socket(), &b, "make the bridge");
  bridge = if_nametoindex("limit0");
  b.at = 0;
  address(&b, bridge, GATEWAY);
  ask(route_socket(), &b, "give the bridge its address");
}

/* One queue: those that the kernel makes for every processor cost a fifth, and a veth sends without them. */
static void lean(struct batch *b) {
  uint32_t one = 1;
  attribute(b, IFLA_NUM_TX_QUEUES, &one, sizeof one);
  attribute(b, IFLA_NUM_RX_QUEUES, &one, sizeof one);
}

/* The machine's side: one message makes both ends, one on the bridge and up, the other in the child's namespace. */
static void make_veth(int number, pid_t pid) {
  struct batch b = {.at = 0};
  char name[IFNAMSIZ];
  struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, peer = {.ifi_index = ETH0};
  uint32_t ns = (uint32_t)pid;
  int n = snprintf(name, sizeof name, "limit%d", number + 1);
  message(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
  attribute(&b, IFLA_IFNAME, name, (size_t)n + 1);
  attribute(&b, IFLA_MASTER, &bridge, sizeof bridge);
  lean(&b);
  struct rtattr *info = attribute(&b, IFLA_LINKINFO, 0, 0);
  attribute(&b, IFLA_INFO_KIND, "veth", 5);
  struct rtattr *data = attribute(&b, IFLA_INFO_DATA, 0, 0);
  struct rtattr *other = attribute(&b, VETH_INFO_PEER, &peer, sizeof peer);
  attribute(&b, IFLA_IFNAME, "eth0", 5);
  attribute(&b, IFLA_NET_NS_PID, &ns, sizeof ns);
  lean(&b);
  close_nest(&b, other);
  close_nest(&b, data);
  close_nest(&b, info);
  int fd = route_socket();
  ask(fd, &b, "make the veth pair");
  close(fd);
}

/* The container's side, once the link is there. */
static void configure(int number) {
  struct batch b = {.at = 0};
  struct rtmsg route = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST};
  uint32_t gateway = htonl(GATEWAY);
  link_up(&b, 1);
  if (bridge) {
    link_up(&b, ETH0);
    address(&b, ETH0, (uint32_t)GATEWAY + 1 + (uint32_t)number);
    message(&b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &route, sizeof route);
    attribute(&b, RTA_GATEWAY, &gateway, sizeof gateway);
  }
  ask(route_socket(), &b, "set links, address and route");
}

/* In the root, before it is entered. What this kernel does not have is left out. */
static void mask_paths(void) {
  static const char *const masked[] = {"proc/acpi", "proc/asound", "proc/interrupts", "proc/kcore", "proc/keys",
      "proc/latency_stats", "proc/sched_debug", "proc/scsi", "proc/timer_list", "proc/timer_stats",
      "sys/devices/virtual/powercap", "sys/firmware"};
  static const char *const read_only[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
  for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++) {
    if (mount(read_only[i], read_only[i], 0, MS_BIND | MS_REC, 0) < 0) continue;
    unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    must(mount(0, read_only[i], 0, flags, 0), read_only[i]);
  }
  for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
    if (mount("dev/null", masked[i], 0, MS_BIND, 0) == 0 || errno == ENOENT) continue;
    must(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, "size=0k"), masked[i]);
  }
}

static void child(const char *base, const char *cgroup, int number, int linked) {
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
  if (seccomp.len) mask_paths();
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount old root");
  char byte;
  if (bridge && read(linked, &byte, 1) != 1) die("wait for the link");
  configure(number);
  if (seccomp.len) drop_rights();
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
  int linked[2] = {-1, -1};
  if (bridge) must(pipe2(linked, O_CLOEXEC), "pipe");
  long pid = syscall(SYS_clone3, &args, sizeof args);
  must(pid, "clone3");
  if (pid == 0) child(base, name, number, linked[0]);
  if (bridge) {
    make_veth(number, (pid_t)pid);
    must(write(linked[1], "x", 1), "tell the child");
    close(linked[0]);
    close(linked[1]);
  }
  int status;
  must(waitpid((pid_t)pid, &status, 0), "wait");
  if (status) errno = ECHILD, die("the container failed");
  if (cgroup >= 0) close(cgroup);
  remove_cgroups(name);
  remove_upper(base);
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
  int bridged = 0;
  for (int option; (option = getopt(argc, argv, "bc:")) != -1;) {
    if (option == 'b') bridged = 1;
    else if (option == 'c') read_filter(optarg);
    else return 2;
  }
  argc -= optind - 1, argv += optind - 1;
  if (argc != 4 && argc != 6) {
    fprintf(stderr, "usage: limit [-b] [-c FILTER] DIRECTORY LOWER PROGRAM [COUNT JOBS]\n");
    return 2;
  }
  directory = argv[1], lower = argv[2], program = argv[3];
  unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  umask(0);
  make_parent();
  if (bridged) make_bridge();
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
