"""docker-py against the daemon of DOCKER_HOST: what its users do. Fails with a traceback."""

import concurrent.futures
import io
import json
import tempfile
import tarfile

import docker

client = docker.from_env(timeout=60)
assert client.ping()
assert client.version()["Os"] == "linux"
assert client.info()["OSType"] == "linux"
assert "busybox:latest" in client.images.get("busybox").tags
try:
    client.images.get("nosuch")
    raise AssertionError("there is no such image")
except docker.errors.ImageNotFound:
    pass

assert client.containers.run("busybox", ["echo", "hello"], remove=True) == b"hello\n"

# What was written is read while the container is removed already.
def hello(_):
    return client.containers.run("busybox", ["echo", "hello"], remove=True)


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert set(pool.map(hello, range(24))) == {b"hello\n"}
try:
    client.containers.run("busybox", ["sh", "-c", "echo no >&2; exit 3"], remove=True)
    raise AssertionError("it has failed")
except docker.errors.ContainerError as error:
    assert error.exit_status == 3 and error.stderr == b"no\n", error

volume = client.volumes.create("data", labels={"a": "b"})
box = client.containers.run(
    "busybox",
    ["sh", "-c", "echo line; exec sleep 60"],
    name="python",
    detach=True,
    init=True,
    environment={"A": "1"},
    labels={"project": "shop"},
    mem_limit="64m",
    tmpfs={"/scratch": "size=1m"},
    volumes={"data": {"bind": "/data", "mode": "rw"}},
    ulimits=[docker.types.Ulimit(name="nofile", soft=100, hard=200)],
)
box.reload()
assert box.status == "running" and box.attrs["HostConfig"]["Memory"] == 64 << 20
assert [each.name for each in client.containers.list(filters={"label": "project=shop"})] == ["python"]
assert next(box.logs(stream=True, follow=True)) == b"line\n"
assert box.exec_run(["sh", "-c", "echo $A; echo e >&2; exit 4"], demux=True) == (4, (b"1\n", b"e\n"))
socket = client.api.exec_start(client.api.exec_create(box.id, ["cat"], stdin=True)["Id"], socket=True)
socket._sock.sendall(b"typed\n")
assert b"typed" in socket.read(14)
socket._sock.close()

archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode="w") as tar:
    entry = tarfile.TarInfo("file")
    entry.size = 7
    tar.addfile(entry, io.BytesIO(b"content"))
assert box.put_archive("/data", archive.getvalue())
chunks, stat = box.get_archive("/data/file")
assert stat["size"] == 7 and b"content" in b"".join(chunks)
assert isinstance(box.diff(), list)
assert len(b"".join(box.export())) > 512

assert box.stats(stream=False)["memory_stats"]["usage"] > 0
assert box.top()["Titles"][1] == "PID"
box.pause()
box.reload()
assert box.status == "paused"
box.unpause()
box.update(mem_limit="128m", memswap_limit="256m")
box.rename("renamed")
image = box.commit("committed", tag="v1")
assert image.tags == ["committed:v1"]
client.images.remove("committed:v1")
with tempfile.TemporaryDirectory() as directory:
    with open(f"{directory}/Dockerfile", "w") as dockerfile:
        dockerfile.write("FROM busybox\nARG WHO\nRUN echo hello $WHO\nCOPY Dockerfile /\n")
    built, log = client.images.build(path=directory, tag="built:1", buildargs={"WHO": "docker-py"}, labels={"a": "b"})
    assert built.tags == ["built:1"] and built.labels["a"] == "b"
    assert any(line.get("stream") == "hello docker-py\n" for line in log)
    with open(f"{directory}/Dockerfile", "w") as dockerfile:
        dockerfile.write("FROM busybox\nRUN false\n")
    try:
        client.images.build(path=directory)
        raise AssertionError("it fails")
    except docker.errors.BuildError as error:
        assert "non-zero code: 1" in str(error)
    client.images.remove("built:1")
box.restart(timeout=0)
box.kill()
assert box.wait()["StatusCode"] == 137
box.remove(v=True)
volume.remove()
try:
    client.containers.get("renamed")
    raise AssertionError("it is removed")
except docker.errors.NotFound:
    pass
assert sorted(each.name for each in client.networks.list()) == ["host", "none"]
assert client.df()["Containers"] == []
assert client.containers.prune()["ContainersDeleted"] in (None, [])
print(json.dumps({"docker-py": docker.__version__}))
