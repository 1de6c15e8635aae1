import { suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { play } from "../support/play.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const net = world();

suite("images, networks, volumes and the system: every flag", {
  ...requires("docker", "cc", "ip", "nft"),
  ...requiresRoot(),
}, () => {
  test("images: ls, inspect, history", () =>
    play(
      net,
      `
      images --no-trunc --format '{{.ID}}' probe
      ~ ^sha256:[0-9a-f]{64}$
      images -q probe
      ~ ^[0-9a-f]{12}$
      images --all --digests --filter reference=probe
      ~ ^REPOSITORY +TAG +DIGEST
      ~ ^probe +latest +<none>
      images --filter reference=nosuch -aq
      ~ ^$
      image inspect --format '{{.Os}}/{{.Architecture}}' --platform linux/amd64 probe
      ~ ^linux/amd64$
      history --no-trunc --format '{{.ID}}' --platform linux/amd64 probe
      ~ ^sha256:[0-9a-f]{64}$
      history --human=false --quiet probe
      ~ ^[0-9a-f]{12}$
      history --human=false probe
      ~ 2024-01-01T00:00:00Z
      history -H=true probe
      ~ years ago
      ! image inspect --platform linux/s390x probe
      ~ does not match the specified platform .linux/s390x
      ! history --platform linux/s390x probe
      ~ does not match the specified platform .linux/s390x
      ! images --filter nosuch=1
      ~ invalid filter
      `,
    ));

  test("images: save, load, import, tag, rm", () =>
    play(
      net,
      `
      save -o one.tar probe
      save --platform linux/amd64 --output platform.tar probe
      ! save --platform linux/s390x -o other.tar probe
      ~ linux/s390x
      tag probe twice
      rmi --no-prune twice
      ~ Untagged: twice:latest
      tag probe twice
      ! rmi --platform linux/s390x twice
      ~ does not match the specified platform .linux/s390x
      rmi --platform linux/amd64 twice
      ~ Untagged: twice:latest
      tag probe twice
      image rm --force twice
      load --quiet --input one.tar
      ~ ^Loaded image: probe:latest$
      load -i one.tar --platform linux/amd64
      ~ Loaded image: probe:latest
      `,
    ));

  test("images: import", () =>
    play(
      net,
      `
      create --name exported probe
      export --output root.tar exported
      rm exported
      import --change 'CMD ["echo","imported"]' --message why --platform linux/amd64 root.tar imported:new
      run --rm imported:new
      ~ ^imported$
      inspect -f '{{.Comment}} {{.Architecture}}' imported:new
      ~ ^why amd64$
      rmi imported:new
      ! import --platform nosuch/nosuch/nosuch/nosuch root.tar
      ~ nosuch
      `,
    ));

  test(
    "refused: images for other platforms, of a registry that is away",
    {
      ...(net.machine.engine === "dockerd" && { skip: "there it is silent" }),
    },
    () =>
      play(
        net,
        `
      save -o one.tar probe
      ! load -i one.tar --platform linux/s390x
      ~ linux/s390x
      ! pull --platform linux/amd64 127.0.0.1:1/nosuch
      ~ connection refused|ECONNREFUSED
      ! pull --all-tags 127.0.0.1:1/nosuch
      ~ connection refused|ECONNREFUSED
      ! pull --quiet 127.0.0.1:1/nosuch
      ~ connection refused|ECONNREFUSED
      `,
      ),
  );

  test("images: prune", () =>
    play(
      net,
      `
      create --name changed probe
      commit --change 'LABEL prune=yes' changed dangling:new
      commit --change 'LABEL prune=no' changed dangling:new
      rm changed
      image prune --force --filter label=prune=no
      ~ ^Total reclaimed space: 0B$
      image prune --force
      ~ [Dd]eleted: sha256:
      image prune --all --force --filter label=prune=no
      ~ [Uu]ntagged: dangling:new
      `,
    ));

  test("network create, ls, inspect, rm, prune", () =>
    play(
      net,
      `
      network create --driver bridge --label a=b --opt com.docker.network.bridge.name=flags0 --subnet 10.77.0.0/24 --gateway 10.77.0.254 --ip-range 10.77.0.128/25 --aux-address host=10.77.0.129 --attachable --scope local flags
      ~ ^[0-9a-f]{64}$
      network inspect --verbose -f '{{json .IPAM.Config}} {{.Labels}} {{.Attachable}} {{.Options}}' flags
      ~ "Subnet":"10.77.0.0/24"
      ~ "IPRange":"10.77.0.128/25"
      ~ "Gateway":"10.77.0.254"
      ~ "AuxiliaryAddresses":{"host":"10.77.0.129"}
      ~ map.a:b. true map.com.docker.network.bridge.name:flags0.
      run --rm --network flags probe sh -c 'ip addr show eth0; ip route'
      ~ inet 10.77.0.128/24
      ~ default via 10.77.0.254
      network ls --no-trunc --filter name=flags --format '{{.ID}} {{.Name}}'
      ~ ^[0-9a-f]{64} flags$
      network ls --quiet --filter label=a=b
      ~ ^[0-9a-f]{12}$
      network rm flags
      network create --internal --ipv6 --ipv4=false --subnet fd00:77::/64 --ipam-driver default --ipam-opt a=b flags
      network inspect --format '{{.Internal}} {{.EnableIPv4}} {{.EnableIPv6}} {{.IPAM.Options}}' flags
      ~ ^true false true map.a:b.$
      network prune --force --filter label=nosuch
      network prune -f
      ~ ^flags$
      network rm --force flags
      ! network rm flags
      ~ network flags not found
      ! network create --driver nosuch flags
      ~ plugin "nosuch" not found
      ! network create --ipam-driver nosuch flags
      ~ plugin "nosuch" not found
      ! network create --ingress flags
      ~ Ingress network can only be global scope network
      ! network create --scope swarm flags
      ~ cannot create a swarm scoped network when swarm is not active
      ! network create --ipv4=false flags
      ~ IPv4 or IPv6 must be enabled
      ! network create --subnet 10.77.0.0/24 --gateway 10.78.0.1 flags
      ~ no matching subnet for gateway 10.78.0.1
      ! network create --subnet 10.77.0.0/24 --ip-range 10.78.0.0/24 flags
      ~ no matching subnet for range 10.78.0.0/24
      `,
    ));

  test("network connect and disconnect", () =>
    play(
      net,
      `
      network create --ipv6 --subnet 10.77.0.0/24 --subnet fd00:77::/64 flags
      run -d --name joined probe sleep 1000
      run -d --name neighbour --network flags probe sleep 1000
      network connect --alias known --ip 10.77.0.9 --ip6 fd00:77::9 --link-local-ip 169.254.7.7 --link neighbour:linked --driver-opt com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1 --gw-priority 7 flags joined
      exec joined ip addr show eth1
      ~ 10.77.0.9/24
      ~ fd00:77::9/64
      ~ 169.254.7.7
      exec joined cat /proc/sys/net/ipv4/conf/eth1/log_martians
      ~ ^1$
      exec joined ip route
      ~ ^default via 10.77.0.1 dev eth1
      exec joined nslookup linked
      ~ 10.77.0
      exec neighbour nslookup known
      ~ 10.77.0.9
      network disconnect flags joined
      ! network disconnect flags joined
      ~ is not connected to
      network disconnect --force flags neighbour
      ! network connect --ip 10.78.0.1 flags joined
      ~ no configured subnet contains IP address 10.78.0.1|10.78.0.1
      rm -f joined neighbour
      network rm flags
      `,
    ));

  test("networks of configurations", () =>
    play(
      net,
      `
      network create --config-only --subnet 10.66.0.0/24 plan
      network create --config-from plan flags
      network inspect -f '{{json .ConfigFrom}} {{json .IPAM.Config}}' flags
      ~ "Network":"plan".*"Subnet":"10.66.0.0/24"
      ! network create --config-from nosuch others
      ~ configuration network "nosuch" does not exist
      network rm flags plan
      `,
    ));

  test("volumes", () =>
    play(
      net,
      `
      volume create --driver local --label a=b --opt type=tmpfs --opt device=tmpfs --opt o=size=1m,mode=700 flags
      ~ ^flags$
      volume inspect -f '{{.Driver}} {{.Labels}} {{.Options}}' flags
      ~ ^local map.a:b. map.device:tmpfs o:size=1m,mode=700 type:tmpfs.$
      run --rm -v flags:/v probe sh -c 'df -k /v; stat -c %a /v'
      ~ 1024
      ~ ^700$
      volume ls --quiet --filter label=a=b
      ~ ^flags$
      volume ls --format '{{.Name}} {{.Driver}}'
      ~ ^flags local$
      volume rm --force flags
      volume rm --force flags
      ! volume rm flags
      ~ no such volume
      volume create --label prune=yes flags
      volume prune --force --all --filter label=prune=yes
      ~ ^flags$
      ! volume create --driver nosuch flags
      ~ plugin "nosuch" not found
      ! volume create --opt nosuch=1 flags
      ~ invalid option: "nosuch"
      `,
    ));

  test("refused: volumes of a swarm", () =>
    play(
      net,
      `
      ! volume create --availability active flags
      ~ not a swarm manager|volumes of a cluster are
      ! volume create --group one flags
      ~ not a swarm manager|volumes of a cluster are
      ! volume create --limit-bytes 1m --type mount flags
      ~ not a swarm manager|volumes of a cluster are
      ! volume create --required-bytes 1m --type block flags
      ~ not a swarm manager|volumes of a cluster are
      ! volume create --scope multi flags
      ~ not a swarm manager|volumes of a cluster are
      ! volume create --secret a=b --type mount flags
      ~ not a swarm manager|volumes of a cluster are
      ! volume create --sharing all flags
      ~ not a swarm manager|volumes of a cluster are
      ! volume create --topology-preferred a=b --type mount flags
      ~ not a swarm manager|volumes of a cluster are
      ! volume create --topology-required a=b --type mount flags
      ~ not a swarm manager|volumes of a cluster are
      volume create plain
      ! volume update --availability drain plain
      ~ cluster volumes|volumes of a swarm
      volume rm plain
      docker volume ls --cluster
      ! sampan volume ls --cluster
      ~ volumes of a cluster are
      `,
    ));

  test("system: df, events, info, version, prune", () =>
    play(
      net,
      `
      system df --format '{{.Type}}'
      ~ ^Images$
      system df --verbose
      ~ ^Containers space usage:$
      system events --since 1h --until 0s --filter type=image --format '{{.Action}}'
      ~ ^load$
      info --format '{{.OSType}}'
      ~ ^linux$
      version --format '{{.Server.Os}}'
      ~ ^linux$
      `,
    ));

  test("system prune", () =>
    play(
      net,
      `
      create --name pruned -l prune=yes probe
      volume create --label prune=yes pruned
      network create --label prune=yes pruned
      sampan system prune --force --all --volumes --filter label=prune=yes
      docker container prune --force --filter label=prune=yes
      docker network prune --force --filter label=prune=yes
      docker volume prune --force --all --filter label=prune=yes
      ! container inspect pruned
      ~ [Nn]o such
      ! network inspect pruned
      ~ not found
      volume rm -f pruned
      `,
    ));
});
